"""The savings page in a browser: figures, chart, filters, on any screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from service.adapters.onnx import OnnxSegmenter
from service.api.parts import Parts
from service.core.figures import share, size
from tests.browser.browsing import DESK, PHONE, Watched, Website
from tests.browser.conftest import browsed_parts
from tests.painted import painted_photo
from tests.records import NOON
from tests.serving import upload

SITES = ("Harbour", "Old Town", "Mill Street")


@pytest.fixture
def parts(tmp_path: Path, segmenter: OnnxSegmenter) -> Iterator[Parts]:
    """It is always noon: at midnight the last thirty days become others."""
    with browsed_parts(tmp_path, segmenter) as parts:
        yield replace(parts, intake=replace(parts.intake, clock=lambda: NOON))


@pytest.fixture
def filled(website: Website) -> Website:
    """Three photos with a meter and one without."""
    for number, site in enumerate(SITES):
        upload(website.client, painted_photo(number), site=site, meter_id=f"G-{number}")
    upload(website.client, painted_photo(9, regions=[]), site=SITES[0])
    return website


def expect_chart_colours(page: Page, expected: list[str]) -> None:
    """Of the series, as soon as the chart is drawn anew."""
    page.wait_for_function(
        "(expected) => Chart.getChart(document.querySelector('canvas')).data.datasets"
        ".every((each, i) => each.backgroundColor === expected[i])",
        arg=expected,
    )


def expect_drawn(page: Page) -> None:
    page.wait_for_function(
        "() => document.querySelector('canvas').getContext('2d')"
        ".getImageData(0, 0, 9999, 9999).data.some((value) => value > 0)"
    )


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_as_wide_as_the_screen(
    filled: Website, size: tuple[int, int], scheme: str, open_tab: Callable[..., Watched]
) -> None:
    tab = open_tab("/", size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.page.get_by_text("The same as a table").click()

    tab.expect_no_findings()
    tab.expect_width(size[0])


def test_figures_are_those_of_the_api(filled: Website, tab: Watched) -> None:
    totals = filled.client.get("/v1/savings").json()["totals"]

    figures = tab.page.locator(".figures")
    expect(figures).to_contain_text(size(totals["saved_bytes"]))
    expect(figures).to_contain_text(share(totals["saved_fraction"]))
    expect(figures).to_contain_text("3 cropped, 1 kept whole")


def test_chart_is_drawn_in_the_colours_of_the_scheme(filled: Website, tab: Watched) -> None:
    tab.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    expect_chart_colours(tab.page, ["#8496a8", "#0a7a4b"])
    expect_drawn(tab.page)

    tab.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    expect_chart_colours(tab.page, ["#70849a", "#4cc38a"])
    expect_drawn(tab.page)


def test_filter_is_kept_in_the_address_and_can_be_sent_to_a_colleague(
    filled: Website, tab: Watched, open_tab: Callable[..., Watched]
) -> None:
    tab.page.get_by_role("link", name="30 days").click()
    tab.page.wait_for_url("**from=2026-01-31**")
    tab.page.get_by_label("Grouped by").select_option("week")
    tab.page.get_by_role("button", name="Show").click()
    tab.page.wait_for_url("**group_by=week**")
    tab.page.get_by_role("link", name="Reason for keeping").click()
    tab.page.wait_for_url("**by=reason**")
    sent = open_tab(tab.page.url.removeprefix(filled.url)).page

    assert "group_by=week" in sent.url
    assert "by=reason" in sent.url
    expect(sent.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    expect(sent.get_by_label("Grouped by")).to_have_value("week")
    expect(sent.locator(".breakdown")).to_contain_text("No meter seen")


def test_row_leads_to_its_photos(filled: Website, tab: Watched) -> None:
    tab.page.get_by_role("link", name=SITES[0]).click()

    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Photos")
    expect(tab.page).to_have_url(re.compile("site=Harbour"))


def test_numbers_can_be_downloaded(filled: Website, tab: Watched) -> None:
    with tab.page.expect_download() as caught:
        tab.page.get_by_role("link", name="Download as CSV").last.click()

    assert caught.value.suggested_filename == "savings-by-site.csv"
    lines = caught.value.path().read_text("utf-8").splitlines()
    assert {line.split(",")[0] for line in lines[1:]} == set(SITES)


def test_page_says_the_same_without_scripts(
    filled: Website, open_tab: Callable[..., Watched]
) -> None:
    page = open_tab("/?group_by=day", scripts=False).page
    page.get_by_text("The same as a table").click()

    expect(page.locator("canvas")).to_be_hidden()
    expect(page.get_by_role("region", name="Savings per day")).to_be_visible()
    page.get_by_label("Grouped by").select_option("month")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Months are those of UTC.")).to_be_visible()


def test_empty_service_shows_how_to_begin(website: Website, tab: Watched) -> None:
    expect(tab.page.get_by_text(f"curl -F file=@meter.jpg {website.url}/v1/photos")).to_be_visible()
    expect(tab.page.locator("canvas")).to_have_count(0)
