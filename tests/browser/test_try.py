"""A photo is dropped on the page, looked at, and stored only when somebody says so."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.browsing import DESK, PHONE, Watched, Website
from tests.painted import painted_photo

DROP = """content => {
  const bytes = Uint8Array.from(atob(content), each => each.charCodeAt(0));
  const dropped = new DataTransfer();
  dropped.items.add(new File([bytes], "meter.jpg", {type: "image/jpeg"}));
  for (const type of ["dragover", "drop"]) {
    document.querySelector("h1").dispatchEvent(
      new DragEvent(type, {dataTransfer: dropped, bubbles: true, cancelable: true}));
  }
}"""


def drop(tab: Watched, photo: bytes) -> None:
    tab.page.evaluate(DROP, b64encode(photo).decode())


def choose(tab: Watched, photo: bytes) -> None:
    chosen = {"name": "meter.jpg", "mimeType": "image/jpeg", "buffer": photo}
    tab.page.get_by_label("Choose a photo").set_input_files(chosen)  # type: ignore[arg-type]


def forgive(tab: Watched, status: int) -> None:
    """The browser notes each refused request on its console; this one was asked for."""
    assert all(f"status of {status}" in complaint for complaint in tab.complaints)
    tab.complaints.clear()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_with_a_photo_is_accessible_and_fits_the_screen(
    size: tuple[int, int], scheme: str, open_tab: Callable[..., Watched]
) -> None:
    tab = open_tab("/try", size=size)
    tab.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    choose(tab, painted_photo())
    expect(tab.page.get_by_role("heading", level=2).first).to_contain_text("It would be cropped")
    tab.expect_no_findings()
    tab.expect_width(size[0])


def test_dropped_photo_shows_mask_and_crop_and_is_stored_on_demand(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    tab = open_tab("/try")
    drop(tab, painted_photo())

    verdict = tab.page.get_by_role("heading", level=2).first
    expect(verdict).to_contain_text("It would be cropped")
    expect(verdict).to_be_focused()
    shown = tab.page.locator("figure img")
    decision = website.client.post("/v1/segment", content=painted_photo()).json()
    widths = [640, decision["crop"]["right"] - decision["crop"]["left"]]
    expect(shown).to_have_count(2)
    for each, width in zip(shown.all(), widths, strict=True):
        expect(each).to_have_js_property(name="naturalWidth", value=width)
    assert website.client.get("/v1/photos").json()["items"] == []

    tab.page.get_by_role("textbox", name="Meter").fill("G-1047")
    tab.page.get_by_role("textbox", name="Site").fill("Trento")
    tab.page.get_by_role("button", name="Store it").click()

    tab.page.wait_for_url("**/photos/*")
    (record,) = website.client.get("/v1/photos").json()["items"]
    expect(tab.page).to_have_url(f"{website.url}/photos/{record['id']}")
    assert (record["meter_id"], record["site"]) == ("G-1047", "Trento")
    expect(tab.page.get_by_role("heading", level=1)).to_contain_text("G-1047")


def test_photo_that_cannot_be_read_is_told_and_the_next_one_is_looked_at(
    open_tab: Callable[..., Watched],
) -> None:
    tab = open_tab("/try")
    drop(tab, painted_photo())
    expect(tab.page.get_by_role("button", name="Store it")).to_be_visible()

    drop(tab, painted_photo()[:20_000])
    expect(tab.page.get_by_role("alert")).to_contain_text("photo.truncated")
    expect(tab.page.get_by_role("button", name="Store it")).to_have_count(0)
    forgive(tab, 422)
    drop(tab, b"a text")
    expect(tab.page.get_by_role("alert")).to_contain_text("none of JPEG")
    forgive(tab, 415)
    drop(tab, painted_photo(regions=[]))
    expect(tab.page.get_by_role("heading", level=2).first).to_contain_text("It would be kept whole")
    expect(tab.page.get_by_role("alert")).to_have_count(0)
    tab.expect_no_findings()


def test_what_was_found_and_typed_stays_when_the_photo_cannot_be_stored(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    tab = open_tab("/try")
    drop(tab, painted_photo())
    meter = tab.page.get_by_role("textbox", name="Meter")
    meter.evaluate("each => { each.maxLength = 1000; }")
    meter.fill("M" * 300)

    tab.page.get_by_role("button", name="Store it").click()

    expect(tab.page.get_by_role("alert")).to_contain_text("Nothing was stored: meter_id")
    expect(meter).to_have_value("M" * 300)
    expect(tab.page.locator("figure img")).to_have_count(2)
    forgive(tab, 422)
    meter.fill("G-1047")
    tab.page.get_by_role("button", name="Store it").click()
    tab.page.wait_for_url("**/photos/*")
    assert website.client.get("/v1/photos?meter_id=G-1047").json()["items"]


def test_photo_that_is_too_large_is_not_even_sent(
    open_tab: Callable[..., Watched], website: Website
) -> None:
    tab = open_tab("/try")
    sent: list[str] = []
    tab.page.on("request", lambda request: sent.append(request.method))
    tab.page.get_by_label("Choose a photo").evaluate("each => { each.dataset.maxBytes = 1000; }")

    choose(tab, painted_photo())

    expect(tab.page.get_by_role("alert")).to_contain_text("METERCROP_MAX_BYTES")
    assert "POST" not in sent


def test_page_works_without_scripts(open_tab: Callable[..., Watched], website: Website) -> None:
    tab = open_tab("/try", scripts=False)
    choose(tab, painted_photo())
    tab.page.get_by_role("button", name="Look at it").click()
    expect(tab.page.get_by_role("heading", level=2).first).to_contain_text("It would be cropped")
    expect(tab.page.locator("figure img")).to_have_count(2)
    expect(tab.page.get_by_role("main")).to_contain_text("choose it once more")

    choose(tab, painted_photo())
    tab.page.get_by_role("textbox", name="Meter").fill("G-1047")
    tab.page.get_by_role("button", name="Store it").click()

    tab.page.wait_for_url("**/photos/*")
    (record,) = website.client.get("/v1/photos").json()["items"]
    assert record["meter_id"] == "G-1047"
