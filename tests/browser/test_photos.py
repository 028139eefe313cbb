"""The photos in a browser: looked through, filtered, brought back, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from service.adapters.onnx import OnnxSegmenter
from service.api.parts import Parts
from tests.browser.browsing import DESK, PHONE, Watched, Website
from tests.browser.conftest import browsed_parts
from tests.browser.pictures import see_all_pictures
from tests.painted import painted_photo
from tests.serving import upload

IN_PHOTO = """rect => {
  const picture = rect.closest('.shot').querySelector('img').getBoundingClientRect();
  const scale = Math.min(picture.width / 640, picture.height / 480);
  const left = picture.left + (picture.width - 640 * scale) / 2;
  const top = picture.top + (picture.height - 480 * scale) / 2;
  const box = rect.getBoundingClientRect();
  return [box.left - left, box.top - top, box.right - left, box.bottom - top].map(px => px / scale);
}"""
"""Where an outline lies on the picture, in pixels of a photo of 640 by 480."""


@pytest.fixture
def parts(tmp_path: Path, segmenter: OnnxSegmenter) -> Iterator[Parts]:
    """Originals are kept for a day."""
    with browsed_parts(tmp_path, segmenter) as parts:
        yield replace(parts, intake=replace(parts.intake, keep_originals=timedelta(days=1)))


@pytest.fixture
def cropped(website: Website) -> dict[str, Any]:
    return upload(website.client, painted_photo(), meter_id="G-1047", site="Trento")


@pytest.fixture
def kept(website: Website, cropped: dict[str, Any]) -> dict[str, Any]:
    return upload(website.client, painted_photo(1, regions=[]), meter_id="W-2")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_photos_are_shown_to_everybody_and_fit_the_screen(
    size: tuple[int, int],
    scheme: str,
    open_tab: Callable[..., Watched],
    cropped: dict[str, Any],
    kept: dict[str, Any],
) -> None:
    below = ("?from=2026-01-01", f"/{cropped['id']}", f"/{kept['id']}")
    tab = open_tab("/photos", size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in below:
        tab.page.goto(f"/photos{path}")
        see_all_pictures(tab.page)
        tab.expect_no_findings()
        tab.expect_width(size[0])


def test_box_lies_where_the_crop_was_cut(
    open_tab: Callable[..., Watched], cropped: dict[str, Any]
) -> None:
    for path in ("/photos", f"/photos/{cropped['id']}"):
        page = open_tab(path).page
        see_all_pictures(page)
        for selector, box in ((".box", cropped["crop"]), (".region", cropped["crop"]["region"])):
            drawn = page.locator(selector).evaluate(IN_PHOTO)
            sides = [box[side] for side in ("left", "top", "right", "bottom")]
            assert drawn == pytest.approx(sides, abs=2)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_photos_are_filtered_by_an_address_that_can_be_sent_on(
    scripts: bool,  # noqa: FBT001
    open_tab: Callable[..., Watched],
    cropped: dict[str, Any],
    kept: dict[str, Any],
) -> None:
    page = open_tab("/photos", scripts=scripts).page
    expect(page.locator("a.card")).to_have_count(2)

    page.get_by_label("Site").fill("Trento")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Result").select_option("Cropped")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**site=Trento**")
    asked = dict(parse_qsl(urlsplit(page.url).query, keep_blank_values=True))
    empty = {} if scripts else dict.fromkeys(("meter_id", "reason", "from", "to"), "")
    assert asked == {"site": "Trento", "status": "cropped"} | empty

    colleague = open_tab(page.url).page
    for each in (page, colleague):
        expect(each.locator("a.card")).to_have_count(1)
        expect(each.locator("a.card")).to_contain_text("G-1047")
        expect(each.get_by_label("Result")).to_have_value("cropped")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("a.card")).to_have_count(2)


def test_photo_is_reached_and_brought_back_by_keyboard_alone(
    open_tab: Callable[..., Watched], website: Website, cropped: dict[str, Any]
) -> None:
    page = open_tab("/photos").page
    page.locator("a.card").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("G-1047")
    page.wait_for_load_state()

    page.get_by_text("Bring the original back").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("The original is stored again")
    expect(page.locator(".history > li")).to_have_count(2)
    photo = website.client.get(f"/v1/photos/{cropped['id']}").json()
    assert photo["reason"] == "restored"
    see_all_pictures(page)


def test_nothing_is_deleted_before_somebody_says_so(
    open_tab: Callable[..., Watched], website: Website, cropped: dict[str, Any]
) -> None:
    page = open_tab(f"/photos/{cropped['id']}", scripts=False).page
    page.get_by_text("Delete the photo").click()
    page.get_by_role("button", name="Delete it").click()
    assert website.client.get(f"/v1/photos/{cropped['id']}").status_code == 200

    page.get_by_label("I want this photo deleted").check()
    page.get_by_role("button", name="Delete it").click()

    expect(page.get_by_role("status")).to_contain_text("The photo is deleted.")
    expect(page.get_by_role("heading", name="No photo yet")).to_be_visible()
    assert website.client.get(f"/v1/photos/{cropped['id']}").status_code == 404


def test_picture_that_is_gone_leaves_the_page_whole(
    open_tab: Callable[..., Watched], website: Website, kept: dict[str, Any]
) -> None:
    website.parts.store.delete(kept["stored"]["key"])

    page = open_tab("/photos").page

    see_all_pictures(page)
    expect(page.locator("a.card")).to_have_count(2)
