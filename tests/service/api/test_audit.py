"""A photo's history over HTTP, checked as an auditor does, and originals brought back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from service.adapters.addressed_store import AddressedStore
from service.adapters.archives import OpenedArchives
from service.adapters.onnx import OnnxSegmenter
from service.api.history import HistoryAnswer
from service.api.keys import AuthRule
from service.api.parts import Parts
from service.core.access import Scope
from service.core.history import Event, HistoryEntry, Told
from service.core.photo import sha256_of
from service.core.record import OriginalPhoto, Retention
from tests.fakes import FakeLedger, FakeObjectStore
from tests.painted import painted_photo
from tests.problems import assert_problem
from tests.records import NOON, cropped_record, kept_record
from tests.serving import add_key, bearer, client_of, parts_of, upload

NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def parts(segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger) -> Parts:
    """Originals are kept for a day."""
    return parts_of(segmenter, store, ledger, keep_originals=timedelta(days=1))


def audit(client: httpx.Client, photo_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/photos/{photo_id}/audit")
    assert answer.status_code == 200, answer.text
    history: dict[str, Any] = answer.json()
    return history


def assert_proved_by_the_answer_alone(history: dict[str, Any]) -> None:
    """As the page says it is done, with nothing of this program."""
    previous = "0" * 64
    for number, entry in enumerate(history["items"], start=1):
        told = {name: value for name, value in entry.items() if name != "sha256"}
        told["photo_id"] = history["photo_id"]
        text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert entry["number"] == number
        assert entry["previous_sha256"] == previous
        assert entry["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        previous = entry["sha256"]
    assert history["unbroken"] is True


def test_history_begins_with_what_was_recorded(client: httpx.Client) -> None:
    photo = upload(client, painted_photo(), meter_id="Zähler-1 水道")

    history = audit(client, photo["id"])

    (entry,) = history["items"]
    assert (entry["number"], entry["event"]) == (1, "recorded")
    assert entry["at"].startswith(photo["received_at"].rstrip("Z")[:19])
    details = entry["details"]
    for part in ("original", "stored", "context"):
        assert details[part].items() <= photo[part].items()
    assert details["crop"] == photo["crop"]
    assert details["model"] == photo["model"]
    assert details["retained"]["why"] == "grace"
    assert_proved_by_the_answer_alone(history)


def test_history_of_a_photo_that_was_restored_and_deleted_can_be_proved(
    client: httpx.Client,
) -> None:
    photo_id = upload(client, painted_photo())["id"]
    client.post(f"/v1/photos/{photo_id}/restore")
    client.delete(f"/v1/photos/{photo_id}")

    history = audit(client, photo_id)

    assert client.get(f"/v1/photos/{photo_id}").status_code == 404
    assert [entry["event"] for entry in history["items"]] == ["recorded", "restored", "deleted"]
    assert_proved_by_the_answer_alone(history)


def test_moment_without_fraction_still_has_six_digits(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    parts = parts_of(segmenter, store, ledger, clock=lambda: NOON.replace(microsecond=0))
    with client_of(parts) as client:
        history = audit(client, upload(client, painted_photo())["id"])

    assert history["items"][0]["at"] == "2026-03-01T12:00:00.000000Z"
    assert_proved_by_the_answer_alone(history)


def test_any_text_in_the_details_can_be_proved(client: httpx.Client, ledger: FakeLedger) -> None:
    record = kept_record("odd")
    ledger.record(record)
    odd = '\x00\x1f\x7f\u2028\ud7ff\U0001f4f7"\\/é水'
    ledger.change(record, record, told=Told(Event.RETAINED, {"key": odd, odd: 2**53}, NOON))

    assert_proved_by_the_answer_alone(audit(client, str(record.id)))


class Meddled(FakeLedger):
    """Somebody was at its histories."""

    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:
        *others, last = super().history(photo_id)
        return (*others, replace(last, details=last.details.replace("cropped", "checked")))


class Broken(FakeLedger):
    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:
        return tuple(
            replace(entry, details="no JSON", event="no event", sha256="")
            for entry in super().history(photo_id)
        )


@pytest.mark.parametrize("ledger", [Meddled(), Broken()], ids=["meddled", "broken"])
def test_history_that_was_changed_is_shown_and_called_broken(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger)) as client:
        history = audit(client, upload(client, painted_photo())["id"])

    assert len(history["items"]) == 1
    assert history["unbroken"] is False


class WithoutHistories(FakeLedger):
    """As before this was kept."""

    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:  # noqa: ARG002 - the port names it
        return ()


def test_record_from_before_histories_were_kept_has_an_empty_one(
    segmenter: OnnxSegmenter, store: FakeObjectStore
) -> None:
    with client_of(parts_of(segmenter, store, WithoutHistories())) as client:
        photo_id = upload(client, painted_photo())["id"]
        assert audit(client, photo_id) == {"photo_id": photo_id, "items": [], "unbroken": True}
        assert_problem(client.get(f"/v1/photos/{NOBODY}/audit"), 404, "photo.not_found")


@pytest.mark.parametrize("photo_id", [NOBODY, "no-uuid"])
def test_photo_that_never_was_is_not_found(client: httpx.Client, photo_id: str) -> None:
    assert_problem(client.get(f"/v1/photos/{photo_id}/audit"), 404, "photo.not_found")
    assert_problem(client.post(f"/v1/photos/{photo_id}/restore"), 404, "photo.not_found")


def test_history_that_the_page_shows_can_be_proved() -> None:
    (shown,) = HistoryAnswer.model_json_schema()["examples"]
    assert_proved_by_the_answer_alone(shown)
    assert HistoryAnswer.model_validate(shown).model_dump(mode="json") == shown


def test_restored_photo_is_answered_with_its_original_stored(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    before = upload(client, painted_photo())
    path = f"/v1/photos/{before['id']}"

    answer = client.post(f"{path}/restore")

    after = answer.json()
    assert answer.status_code == 200
    assert client.get(path).json() == after
    assert (after["status"], after["reason"], after["crop"]) == ("kept_original", "restored", None)
    assert (after["saved_bytes"], after["stored"]["exact"]) == (0, True)
    assert after["original"] == before["original"] | {"retained_until": None}
    assert after["stored"]["sha256"] == before["original"]["sha256"]
    assert client.get(f"{path}/content").content == painted_photo()
    assert client.get(f"{path}/original").content == painted_photo()
    assert [found.key for found in store.objects()] == [after["stored"]["key"]]
    assert client.post(f"{path}/restore").json() == after
    totals = client.get("/v1/savings").json()["totals"]
    assert (totals["saved_bytes"], totals["freed_bytes"]) == (0, 0)


def test_original_that_was_not_kept_is_gone(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger)) as client:
        photo_id = upload(client, painted_photo())["id"]
        assert_problem(client.post(f"/v1/photos/{photo_id}/restore"), 410, "original.gone")


def test_restore_waits_for_a_store_that_is_away(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    photo = upload(client, painted_photo())
    path = f"/v1/photos/{photo['id']}"
    store.available = False
    assert_problem(client.post(f"{path}/restore"), 503, "store.unavailable")
    store.available = True
    assert client.get(path).json() == photo


def test_source_in_an_archive_is_served_as_long_as_it_is_the_same(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, tmp_path: Path
) -> None:
    source = tmp_path / "2019 archive" / "meter.jpg"
    source.parent.mkdir()
    source.write_bytes(painted_photo())
    photo = replace(cropped_record("replaced"), original=original_at(f"file://{source}"))
    ledger.record(photo)
    addressed = AddressedStore(store, OpenedArchives(None))
    with client_of(parts_of(segmenter, addressed, ledger)) as client:
        path = f"/v1/photos/{photo.id}"
        part = client.get(f"{path}/original", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, painted_photo()[10:20])
        restored = client.post(f"{path}/restore").json()
        assert restored["stored"]["key"] == f"file://{source}"
        assert client.get(f"{path}/content").content == painted_photo()

        source.write_bytes(painted_photo(1))
        assert_problem(client.get(f"{path}/content"), 503, "store.unavailable")
        assert client.delete(path).status_code == 204
    assert source.read_bytes() == painted_photo(1)


@pytest.mark.parametrize("now", [None, painted_photo(1), painted_photo()[:-1]])
def test_source_that_its_owner_has_changed_or_deleted_is_gone(
    segmenter: OnnxSegmenter,
    store: FakeObjectStore,
    ledger: FakeLedger,
    tmp_path: Path,
    now: bytes | None,
) -> None:
    source = tmp_path / "meter.jpg"
    if now is not None:
        source.write_bytes(now)
    photo = replace(cropped_record("replaced"), original=original_at(f"file://{source}"))
    ledger.record(photo)
    addressed = AddressedStore(store, OpenedArchives(None))
    with client_of(parts_of(segmenter, addressed, ledger)) as client:
        path = f"/v1/photos/{photo.id}"
        assert_problem(client.get(f"{path}/original"), 410, "original.gone")
        assert_problem(client.post(f"{path}/restore"), 410, "original.gone")


def original_at(address: str) -> OriginalPhoto:
    """Of the first painted photo, left with its owner."""
    content = painted_photo()
    return OriginalPhoto(
        sha256_of(content),
        len(content),
        "image/jpeg",
        640,
        480,
        1,
        retained_key=address,
        retention=Retention.SOURCE,
    )


@pytest.fixture
def guarded(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> Iterator[httpx.Client]:
    for scope in Scope:
        add_key(ledger, scope.value, scope)
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        yield client


def test_history_is_read_and_restoring_is_for_admins(guarded: httpx.Client) -> None:
    asked = {
        scope: (
            guarded.get(f"/v1/photos/{NOBODY}/audit", headers=bearer(scope)).status_code,
            guarded.post(f"/v1/photos/{NOBODY}/restore", headers=bearer(scope)).status_code,
        )
        for scope in Scope
    }

    assert asked == {
        Scope.UPLOAD: (403, 403),
        Scope.READ: (404, 403),
        Scope.JOBS: (403, 403),
        Scope.ADMIN: (404, 404),
    }
