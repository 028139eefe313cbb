"""Photos kept whole in a browser: looked through by reason, and by the arrow keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from service.core.crop import Reason
from service.core.geometry import Box
from service.dashboard.reasons import EXPLAINED
from tests.browser.browsing import DESK, PHONE, Watched, Website
from tests.browser.pictures import see_all_pictures
from tests.painted import BLUE, painted_photo
from tests.records import NOON, kept_record
from tests.serving import upload


@pytest.fixture
def refused(website: Website) -> None:
    """Two without a region, one of several, one that the model was not sure of, one cropped."""
    two = [Box(40, 40, 160, 100), Box(400, 300, 520, 360)]
    for seed in range(2):
        upload(website.client, painted_photo(seed, regions=[]), meter_id=f"N-{seed}")
    upload(website.client, painted_photo(2, regions=two), meter_id="S-1")
    upload(website.client, painted_photo(3, colour=BLUE), meter_id="L-1")
    upload(website.client, painted_photo(4), meter_id="C-1")


@pytest.mark.usefixtures("refused")
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_for_everybody_and_fits_the_screen(
    size: tuple[int, int], scheme: str, open_tab: Callable[..., Watched]
) -> None:
    tab = open_tab("/refusals?reason=no_region", size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    see_all_pictures(tab.page)
    tab.expect_no_findings()
    tab.expect_width(size[0])


@pytest.mark.usefixtures("refused")
def test_reasons_are_looked_through_one_by_one(open_tab: Callable[..., Watched]) -> None:
    page = open_tab("/refusals").page
    expect(page.locator("a.card")).to_have_count(4)
    for reason, meters in (
        (Reason.NO_REGION, ["N-1", "N-0"]),
        (Reason.SEVERAL_REGIONS, ["S-1"]),
        (Reason.LOW_CONFIDENCE, ["L-1"]),
    ):
        tab = page.get_by_role("navigation", name="Reasons").get_by_role("link")
        tab.filter(has_text=EXPLAINED[reason].name).click()
        expect(page.locator(".notice")).to_contain_text(EXPLAINED[reason].why)
        expect(page.locator("a.card .name")).to_have_text(meters)


def test_arrow_keys_turn_the_pages(open_tab: Callable[..., Watched], website: Website) -> None:
    for number in range(30):
        website.parts.ledger.record(kept_record(f"{number}", received_at=NOON))
    page = open_tab("/refusals").page

    seen = [cards(page)]
    for _ in range(2):
        turn(page, "ArrowRight")
        seen.append(cards(page))

    assert [len(each) for each in seen] == [12, 12, 6]
    assert len(set().union(*seen)) == 30
    turn(page, "ArrowLeft")
    assert cards(page) == seen[1]
    page.get_by_label("Before").focus()
    address = page.evaluate("location.href")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.href") == address


def turn(page: Page, key: str) -> None:
    before = page.url
    page.keyboard.press(key)
    page.wait_for_function(
        "address => location.href !== address && document.readyState === 'complete'", arg=before
    )
    expect(page.locator("a.card").first).to_be_visible()


def cards(page: Page) -> set[str]:
    links = page.locator("a.card").evaluate_all("links => links.map(link => link.href)")
    return set(links)
