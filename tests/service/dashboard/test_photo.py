"""A photo's page: its figures, pictures and history, and what may be done with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import AuthRule
from service.core.access import Scope
from service.core.crop import Reason
from service.core.figures import share, size
from service.core.history import Event, HistoryEntry, purged, retained
from service.core.record import Capture, Retention
from service.dashboard.reasons import EXPLAINED
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.records import NOON, cropped_record, kept_record
from tests.service.dashboard.pages import Page, read
from tests.serving import add_key, bearer, client_of, parts_of, upload

NOBODY = "01900000-0000-7000-8000-000000000000"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def keeping(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> Iterator[httpx.Client]:
    """Of a service that keeps originals for a day."""
    day = timedelta(days=1)
    with client_of(parts_of(segmenter, store, ledger, keep_originals=day)) as client:
        yield client


def page_of(client: httpx.Client, photo: dict[str, Any]) -> Page:
    return read(client.get(f"/photos/{photo['id']}"))


def done(client: httpx.Client, photo: dict[str, Any], step: str) -> httpx.Response:
    return client.post(f"/photos/{photo['id']}/{step}", headers=OWN)


def test_every_figure_is_that_of_the_api(client: httpx.Client) -> None:
    fields = {"meter_id": "G-1", "site": "Trento", "meter_type": "gas", "reader_id": "R-9"}
    photo = upload(client, painted_photo(), tags='{"route": "7"}', **fields)

    page = page_of(client, photo)

    for value in fields.values():
        assert value in page.text
    assert "route 7" in page.text
    assert share(photo["saved_fraction"]) in page.text
    assert size(photo["saved_bytes"]) in page.text
    for part in ("original", "stored", "context"):
        assert photo[part]["sha256"] in page.text
        assert f"({photo[part]['bytes']:,} bytes)" in page.text
        assert photo[part]["media_type"] in page.text
    for box in (photo["crop"], photo["crop"]["region"]):
        corners = ", ".join(f"{side} {box[side]}" for side in ("left", "top", "right", "bottom"))
        assert corners in page.text
    model = photo["model"]
    assert f"{model['name']}, on {model['provider']}" in page.text
    assert model["sha256"] in page.text
    assert f"Confidence {photo['confidence']}" in page.text
    times = photo["timings_ms"]
    assert f"decode {times['decode']}, model {times['segment']}, crop {times['crop']}" in page.text
    assert f"in all {times['total']} ms" in page.text
    assert photo["received_at"].rstrip("Z") in page.values("time", "datetime")[0]


def test_crop_is_shown_as_stored_and_in_its_place(client: httpx.Client) -> None:
    photo = upload(client, painted_photo())

    page = page_of(client, photo)

    pictures = page.values("img", "src")
    assert pictures[0] == f"/v1/photos/{photo['id']}/content"
    assert pictures[1].startswith(f"/photos/{photo['id']}/thumbnail?size=small")
    assert [int(x) for x in page.values("rect", "x")] == [
        photo["crop"]["region"]["left"],
        photo["crop"]["left"],
    ]


def test_without_a_picture_of_the_whole_the_crop_is_drawn_in_its_place(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    record = cropped_record("without")
    ledger.record(record)

    page = read(client.get(f"/photos/{record.id}"))

    assert "no small picture of the rest was kept" in page.text
    assert page.values("svg", "viewbox")[1] == "0 0 4000 2250"
    (placed,) = (each.attributes for each in page.elements if each.tag == "image")
    assert (placed["x"], placed["y"], placed["width"]) == ("1472", "800", "1056")


def test_crop_that_browsers_cannot_show_is_shown_as_one_that_they_can(
    client: httpx.Client, ledger: FakeLedger
) -> None:
    record = cropped_record("of a scanner")
    record = replace(record, stored=replace(record.stored, media_type="image/tiff"))
    ledger.record(record)

    shown = read(client.get(f"/photos/{record.id}")).values("img", "src")[0]

    assert shown.startswith(f"/photos/{record.id}/thumbnail?size=large")


def test_photo_kept_whole_says_why_and_what_to_do(client: httpx.Client, ledger: FakeLedger) -> None:
    for reason, explained in EXPLAINED.items():
        record = kept_record(reason, reason=reason)
        ledger.record(record)

        page = read(client.get(f"/photos/{record.id}"))

        assert f"{explained.name}. {explained.why} {explained.advice}" in page.text
        assert page.values("rect", "x") == []
        assert f"/photos/{record.id}/restore" not in page.values("form", "action")
    assert EXPLAINED.keys() == set(Reason)


def test_time_of_the_camera_is_told_beside_the_sender_s(client: httpx.Client) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "2026:03:01 10:35:21", 0x9011: "+01:00"})
    content = painted_photo(exif=exif)
    photo = upload(client, content, captured_at="2026-03-01T09:40:00Z")

    page = page_of(client, photo)

    assert "2026-03-01 09:40 UTC By the camera 2026:03:01 10:35:21 +01:00" in page.text
    assert "DateTimeOriginal" in page.text


def test_original_can_be_had_while_it_is_kept(client: httpx.Client, keeping: httpx.Client) -> None:
    gone = upload(client, painted_photo(1))
    kept = upload(keeping, painted_photo())

    with_original, without = page_of(keeping, kept), page_of(keeping, gone)

    link = f"/v1/photos/{kept['id']}/original"
    assert link in with_original.values("a", "href")
    assert keeping.get(link).content == painted_photo()
    assert "The original is kept beside the crop for its grace. That ends" in with_original.text
    assert not any(href.endswith("/original") for href in without.values("a", "href"))
    assert "is no longer kept." in without.text


STAYS = {
    Retention.GRACE: "The original is being deleted",
    Retention.SOURCE: "lies in its archive",
    Retention.LOCKED: "Object Lock or a legal hold keeps it",
    Retention.MARKED: "still stores, and bills, it",
}


def test_original_that_is_still_stored_says_why(client: httpx.Client, ledger: FakeLedger) -> None:
    for retention, told in STAYS.items():
        record = cropped_record(retention, retained_key="originals/a.jpg")
        original = replace(record.original, retention=retention, retained_until=None)
        ledger.record(replace(record, original=original))

        page = read(client.get(f"/photos/{record.id}"))

        assert told in page.text
        assert f"/photos/{record.id}/restore" in page.values("form", "action")


def test_original_is_brought_back_by_a_button(keeping: httpx.Client) -> None:
    photo = upload(keeping, painted_photo())
    assert f"/photos/{photo['id']}/restore" in page_of(keeping, photo).values("form", "action")

    answer = done(keeping, photo, "restore")
    page = read(keeping.get(answer.headers["Location"]))

    assert answer.status_code == 303
    assert "The original is stored again" in page.text
    assert EXPLAINED[Reason.RESTORED].why in page.text
    whole = size(photo["original"]["bytes"])
    assert f"{whole} are stored again, the whole photo." in page.text
    assert page.values("li", "value") == ["2", "1"]
    assert keeping.get(f"/v1/photos/{photo['id']}").json()["reason"] == "restored"
    assert "stored again, and the crop" not in page_of(keeping, photo).text


def test_address_alone_claims_no_restoring(client: httpx.Client) -> None:
    photo = upload(client, painted_photo())

    assert "stored again, and" not in read(client.get(f"/photos/{photo['id']}?told=restored")).text


def test_original_that_is_gone_is_not_brought_back(client: httpx.Client) -> None:
    photo = upload(client, painted_photo())

    page = read(done(client, photo, "restore"), status=410)

    assert "Nothing has changed." in page.text
    assert "original.gone" in page.text
    assert f"/photos/{photo['id']}/delete" in page.values("form", "action")


def test_store_that_is_away_changes_nothing(keeping: httpx.Client, store: FakeObjectStore) -> None:
    photo = upload(keeping, painted_photo())
    store.available = False

    for step in ("restore", "delete"):
        page = read(done(keeping, photo, step), status=503)
        assert "Nothing has changed." in page.text
    assert keeping.get(f"/v1/photos/{photo['id']}").json() == photo


def test_deleted_photo_leaves_its_history(client: httpx.Client, store: FakeObjectStore) -> None:
    photo = upload(client, painted_photo())

    answer = done(client, photo, "delete")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/photos?told=deleted")
    assert "The photo is deleted." in read(client.get("/photos?told=deleted")).text
    page = read(client.get(f"/photos/{photo['id']}"), status=410)
    assert "It was deleted" in page.text
    assert page.values("li", "value") == ["2", "1"]
    assert list(store.objects()) == []
    again = read(done(client, photo, "delete"), status=410)
    assert "It was deleted" in again.text


@pytest.mark.parametrize("photo_id", [NOBODY, "no-uuid"])
def test_photo_that_never_was_is_not_found(client: httpx.Client, photo_id: str) -> None:
    page = read(client.get(f"/photos/{photo_id}"), status=404)

    assert "There is no such photo" in page.text


def test_history_is_told_in_words(client: httpx.Client, ledger: FakeLedger) -> None:
    record = cropped_record("old", retained_key="originals/old.jpg")
    ledger.record(record)
    gone = replace(record, original=replace(record.original, retained_key=None, retention=None))
    locked = retained(record.original, why="locked", at=NOON)
    denied = retained(record.original, why="access_denied", at=NOON)
    for told in (locked, denied):
        ledger.change(record, record, told=told)
    ledger.change(record, gone, told=purged(record.original, at=NOON))

    page = read(client.get(f"/photos/{record.id}"))

    for sentence in (
        "It came in by upload. 96.1 kB of 1.6 MB are stored, the crop.",
        "Model attention-unet, confidence 0.9820.",
        "The original is kept until 2026-03-31.",
        "The original was due to be deleted, and stays",
        "Object Lock or a legal hold keeps it.",
        "Access denied.",
        "1.6 MB are no longer paid for.",
        "All 4 hashes fit",
    ):
        assert sentence in page.text
    audit = client.get(f"/v1/photos/{record.id}/audit").json()
    assert audit["unbroken"]
    assert all(entry["sha256"] in page.text for entry in audit["items"])


class Meddled(FakeLedger):
    """Somebody was at its histories."""

    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:
        odd = ("no JSON", "{}", '{"stored": 1, "reason": [], "source": {}, "original": {}}')
        first, *_ = super().history(photo_id)
        broken = [replace(first, details=details) for details in odd]
        events = [replace(first, event=event, details=odd[1]) for event in (*Event, "unheard of")]
        return (*broken, *events)


def test_history_that_was_changed_is_told_so(
    segmenter: OnnxSegmenter, store: FakeObjectStore
) -> None:
    with client_of(parts_of(segmenter, store, Meddled())) as client:
        page = page_of(client, upload(client, painted_photo()))

    assert "The history has been changed." in page.text
    assert "unheard of" in page.text
    assert "Unbroken" not in page.text


class WithoutHistories(FakeLedger):
    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:  # noqa: ARG002 - the port names it
        return ()


def test_record_from_before_histories_has_none(
    segmenter: OnnxSegmenter, store: FakeObjectStore
) -> None:
    with client_of(parts_of(segmenter, store, WithoutHistories())) as client:
        page = page_of(client, upload(client, painted_photo()))

    assert "recorded before histories were kept" in page.text


def test_who_may_only_read_changes_nothing(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    for scope in (Scope.READ, Scope.ADMIN):
        add_key(ledger, scope.value, scope)
    record = cropped_record("guarded", capture=Capture(meter_id="G-1"), retained_key="a")
    ledger.record(record)
    path = f"/photos/{record.id}"
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        seen_by = {
            scope: read(client.get(path, headers=bearer(scope))).values("form", "action")
            for scope in ("read", "admin")
        }
        for step in ("restore", "delete"):
            refused = client.post(f"{path}/{step}", headers=bearer("read") | OWN)
            read(refused, status=403)
            stranger = client.post(f"{path}/{step}", headers=OWN)
            assert stranger.status_code == 303
            assert client.get(f"{path}/{step}").headers["Location"] == path

    assert f"{path}/restore" not in seen_by["read"]
    assert f"{path}/delete" not in seen_by["read"]
    assert {f"{path}/restore", f"{path}/delete"} <= set(seen_by["admin"])
    assert ledger.by_id(record.id) == record


@pytest.mark.parametrize("step", ["restore", "delete"])
def test_button_of_another_site_does_nothing(keeping: httpx.Client, step: str) -> None:
    photo = upload(keeping, painted_photo())
    foreign = {"Sec-Fetch-Site": "cross-site"}

    answer = keeping.post(f"/photos/{photo['id']}/{step}", headers=foreign)

    assert "request.cross_origin" in read(answer, status=answer.status_code).text
    assert 400 <= answer.status_code < 500
    assert keeping.get(f"/v1/photos/{photo['id']}").json() == photo
