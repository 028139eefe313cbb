"""Pictures on a page, which browsers load as they come into sight."""

from __future__ import annotations

from playwright.sync_api import Page, expect

ARE_SHOWN = "pictures => pictures.every(each => each.complete && each.naturalWidth > 0)"


def see_all_pictures(page: Page) -> None:
    """Goes through the page until each of them is there, and none is broken."""
    page.wait_for_load_state()  # with all of the page there, all of its pictures are
    pictures = page.locator("main img")
    for each in pictures.all():
        each.scroll_into_view_if_needed()
        expect(each).to_have_js_property(name="complete", value=True)
    assert pictures.evaluate_all(ARE_SHOWN)
