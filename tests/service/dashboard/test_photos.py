"""The list of photos: what it shows, its filters, and its pages."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import AuthRule
from service.core.access import Scope
from service.core.crop import Reason
from service.core.figures import share, size
from service.core.record import Capture, PhotoFilter
from service.dashboard.reasons import EXPLAINED
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.records import NOON, cropped_record, kept_record
from tests.service.dashboard.pages import read
from tests.serving import add_key, bearer, client_of, parts_of, upload


def test_every_photo_is_shown_with_the_figures_of_the_api(client: httpx.Client) -> None:
    cropped = upload(client, painted_photo(), meter_id="G-1", site="Trento")
    kept = upload(client, painted_photo(1, regions=[]), meter_id="W-2")

    page = read(client.get("/photos"))

    assert f"/photos/{cropped['id']}" in page.values("a", "href")
    assert f"/photos/{kept['id']}" in page.values("a", "href")
    assert page.text.index("W-2") < page.text.index("G-1 Trento")
    assert f"{share(cropped['saved_fraction'])} saved" in page.text
    left = cropped["original"]["bytes"] - cropped["saved_bytes"]
    assert left == cropped["stored"]["bytes"] + cropped["context"]["bytes"]
    assert f"{size(cropped['original']['bytes'])} → became {size(left)}" in page.text
    assert f"{EXPLAINED[Reason.NO_REGION].name} {size(kept['original']['bytes'])}" in page.text


def test_box_and_region_are_drawn_in_pixels_of_the_photo(client: httpx.Client) -> None:
    photo = upload(client, painted_photo())

    page = read(client.get("/photos"))

    drawn = [each.attributes for each in page.elements if each.tag == "rect"]
    for rect, box in zip(drawn, (photo["crop"]["region"], photo["crop"]), strict=True):
        assert (int(rect["x"]), int(rect["y"])) == (box["left"], box["top"])
        assert int(rect["width"]) == box["right"] - box["left"]
        assert int(rect["height"]) == box["bottom"] - box["top"]
    assert "0 0 640 480" in page.values("svg", "viewbox")


def test_nothing_is_drawn_on_what_is_no_picture_of_the_whole(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    ledger.record(cropped_record("without a context picture"))
    ledger.record(kept_record("whole"))

    assert read(client.get("/photos")).values("rect", "x") == []


def test_store_is_not_asked_while_a_page_is_made(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    photo = upload(client, painted_photo())
    store.available = False

    for path in ("/photos", "/refusals", f"/photos/{photo['id']}"):
        read(client.get(path))


@pytest.fixture
def three(ledger: FakeLedger) -> FakeLedger:
    """A day apart, the last two in Trento."""
    trento = Capture(meter_id="G-7", site="Trento")
    ledger.record(kept_record("a", received_at=NOON, capture=Capture(meter_id="G-6")))
    ledger.record(cropped_record("b", received_at=NOON + timedelta(days=1), capture=trento))
    ledger.record(
        kept_record(
            "c",
            received_at=NOON + timedelta(days=2),
            reason=Reason.LOW_CONFIDENCE,
            capture=Capture(site="Trento"),
        )
    )
    return ledger


FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"meter_id": "G-7"},
    {"site": "Trento"},
    {"status": "cropped"},
    {"status": "kept_original", "site": "Trento"},
    {"reason": "low_confidence"},
    {"from": "2026-03-02T12:00:00.123456Z"},
    {"to": "2026-03-02T12:00:00.123456Z"},
    {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00+01:00"},
)


@pytest.mark.usefixtures("three")
def test_address_selects_what_it_selects_in_the_api(client: httpx.Client) -> None:
    for filters in FILTERS:
        of_api = client.get("/v1/photos", params=filters).json()["items"]

        assert shown(client.get("/photos", params=filters)) == [photo["id"] for photo in of_api]
        assert of_api, filters


@pytest.mark.usefixtures("three")
def test_fields_that_a_form_leaves_empty_select_nothing(client: httpx.Client) -> None:
    empty = dict.fromkeys(("meter_id", "site", "status", "reason", "from", "to", "cursor"), "")

    assert len(shown(client.get("/photos", params=empty))) == 3
    assert len(shown(client.get("/photos", params={**empty, "site": "Trento"}))) == 2


@pytest.mark.usefixtures("three")
def test_day_stands_for_its_first_moment(client: httpx.Client) -> None:
    asked = {"from": "2026-03-02", "to": "2026-03-03"}
    page = client.get("/photos", params=asked)

    assert len(shown(page)) == 1
    assert {"2026-03-02", "2026-03-03"} <= set(read(page).values("input", "value"))


def test_form_shows_what_was_asked_for(client: httpx.Client) -> None:
    asked = {"meter_id": 'G"<1>', "status": "cropped", "from": "2026-03-02T09:35:21Z"}
    page = read(client.get("/photos", params=asked))

    assert {'G"<1>', "2026-03-02T09:35:21Z"} <= set(page.values("input", "value"))
    chosen = [each.attributes for each in page.elements if "selected" in each.attributes]
    assert [option["value"] for option in chosen] == ["cropped"]


def test_older_photos_are_a_page_away_under_the_same_filters(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    site = Capture(site="Riva & Arco")
    made = [
        cropped_record(f"{n}", received_at=NOON + timedelta(minutes=n), capture=site)
        for n in range(30)
    ]
    for record in made:
        ledger.record(record)
    first = client.get("/photos", params={"site": "Riva & Arco"})
    older = read(first).link(rel="next")
    assert older is not None
    second = client.get(older)

    newest_first = [str(record.id) for record in reversed(made)]
    assert shown(first) + shown(second) == newest_first
    assert dict(parse_qsl(urlsplit(older).query)).keys() == {"site", "cursor"}
    assert read(first).link(rel="prev") is None
    assert read(second).link(rel="next") is None
    assert read(second).link(rel="prev") == "/photos?site=Riva+%26+Arco"


def test_limit_of_the_api_is_kept_from_page_to_page(
    client: httpx.Client, three: FakeLedger
) -> None:
    older = read(client.get("/photos?limit=2")).link(rel="next")
    assert older is not None
    assert "limit=2" in older
    assert len(shown(client.get(older))) == 1


def test_page_without_photos_says_why_and_what_to_do(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    assert "No photo yet" in read(client.get("/photos")).text

    ledger.record(cropped_record("one"))
    none_fits = read(client.get("/photos?site=Nowhere&meter_id=G-1"))

    assert "meter_id=G-1 , site=Nowhere" in none_fits.text
    assert none_fits.values("a", "href").count("/photos") == 3  # navigation, form, empty list


def test_page_behind_the_last_leads_back(client: httpx.Client, ledger: FakeLedger) -> None:
    for name in "ab":
        ledger.record(kept_record(name))
    older = read(client.get("/photos?limit=1&reason=no_region")).link(rel="next")
    assert older is not None
    for record in ledger.page(PhotoFilter(), limit=2).items:
        ledger.delete(record.id, at=NOON)

    page = read(client.get(older))

    assert "No older photo" in page.text
    assert "/photos?reason=no_region&limit=1" in page.values("a", "href")


def test_what_cannot_be_asked_for_is_refused_by_name(client: httpx.Client) -> None:
    for asked, named in (
        ("status=gone", "status"),
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("site=%00", "site"),
        ("limit=0", "limit"),
        ("cursor=nonsense", "cursor"),
        ("colour=red", "colour"),
    ):
        page = read(client.get(f"/photos?{asked}"), status=422)

        assert "field.invalid" in page.text
        assert named in page.text


def test_text_from_outside_stays_text(client: httpx.Client) -> None:
    evil = "<script>alert(1)</script>"
    photo = upload(client, painted_photo(), meter_id=evil, site=evil, tags=f'{{"{evil}": "a"}}')

    for path in ("/photos", f"/photos/{photo['id']}", f"/photos?site={evil}"):
        answer = client.get(path)
        assert evil in read(answer).text
        assert evil not in answer.text


def test_who_may_not_look_is_asked_to_sign_in(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    add_key(ledger, "reader", Scope.READ)
    add_key(ledger, "uploader", Scope.UPLOAD)
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        for path in ("/photos?site=a", "/refusals"):
            stranger = client.get(path)
            assert stranger.status_code == 303
            assert stranger.headers["Location"].startswith("/sign-in?next=")
            assert client.get(path, headers=bearer("uploader")).status_code == 403
            read(client.get(path, headers=bearer("reader")))


def shown(answer: httpx.Response) -> list[str]:
    """The ids of the photos, in order."""
    links = [
        each.attributes["href"]
        for each in read(answer).elements
        if each.tag == "a" and each.attributes.get("class") == "card"
    ]
    return [link.removeprefix("/photos/") for link in links]
