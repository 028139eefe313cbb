"""The page of health in a browser: live, and honest when the service is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from service.api.parts import Parts
from tests.browser.browsing import DESK, PHONE, Watched, Website
from tests.painted import painted_photo
from tests.serving import upload

ASK_NOW = "() => { htmx.ajax('GET', '/health/live', '#live').catch(() => {}); }"
"""What the page does every ten seconds."""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_as_wide_as_the_screen(
    website: Website, size: tuple[int, int], scheme: str, open_tab: Callable[..., Watched]
) -> None:
    upload(website.client, painted_photo())
    tab = open_tab("/health", size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.page.get_by_text("The same as a table").click()

    tab.expect_no_findings()
    tab.expect_width(size[0])
    expect(tab.page.locator("canvas")).to_have_count(3)


def test_live_part_follows_what_happens(
    open_tab: Callable[..., Watched], parts: Parts, tmp_path: Path
) -> None:
    page = open_tab("/health").page
    expect(page.get_by_text("Ready.", exact=True)).to_be_visible()

    objects = tmp_path / "objects"
    objects.rename(tmp_path / "away")
    objects.write_text("no folder")
    page.wait_for_timeout(1_100)  # an answer is shared for a second
    page.evaluate(ASK_NOW)  # too early still, and the page asks by itself

    expect(page.get_by_text("Not ready.", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Store fails")).to_be_visible()


def test_service_that_no_longer_answers_is_told_until_it_does(
    open_tab: Callable[..., Watched],
) -> None:
    tab = open_tab("/health")
    page = tab.page
    silent = page.get_by_text("The service does not answer")

    def cut_off(route: Route) -> None:
        route.abort()

    page.route("**/health/live", cut_off)
    page.evaluate(ASK_NOW)
    expect(silent).to_be_visible()
    page.unroute("**/health/live")
    page.evaluate(ASK_NOW)
    expect(silent).to_be_hidden()
    tab.complaints.clear()  # the browser itself notes the request that failed
