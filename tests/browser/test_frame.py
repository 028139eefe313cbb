"""What every page has: navigation, an accessible frame, errors as pages, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import DESK, PHONE, Watched

PAGES = ["/", "/jobs/new"]
"""The others are looked at where they are tested."""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_without_photos_is_accessible_and_as_wide_as_the_screen(
    path: str, size: tuple[int, int], scheme: str, open_tab: Callable[..., Watched]
) -> None:
    tab = open_tab(path, size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.expect_no_findings()
    tab.expect_width(size[0])
    expect(tab.page.locator("h1")).to_have_count(1)


def test_keyboard_goes_straight_to_the_content(tab: Watched) -> None:
    tab.page.keyboard.press("Tab")
    expect(tab.page.locator(":focus")).to_have_text("Skip to the content")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("#main")).to_be_focused()
