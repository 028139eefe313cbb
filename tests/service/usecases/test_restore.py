"""Originals brought back: read whole, stored again, and then their crops deleted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from service.core.crop import Reason
from service.core.errors import NotFound, Unavailable
from service.core.history import Told, is_unbroken
from service.core.photo import sha256_of
from service.core.record import PhotoFilter, Record, Retention, Status
from service.usecases.photos import delete_photo, original_object
from tests.fakes import FakeLedger
from tests.painted import painted_photo
from tests.records import kept_record
from tests.retained import ARCHIVE, NOW, Keeping


@pytest.fixture
def keeping(ledger: FakeLedger, tmp_path: Path) -> Keeping:
    return Keeping(ledger, tmp_path / "objects")


def objects(keeping: Keeping) -> list[str]:
    return [found.key for found in keeping.store.objects()]


def assert_restored(keeping: Keeping, record: Record, *, key: str, content: bytes) -> None:
    """It is stored whole under `key`, and that alone is left of it."""
    now = keeping.ledger.by_id(record.id)
    assert now is not None
    assert record.context is not None
    assert (now.context, keeping.store.get(record.context.key)) == (None, None)
    assert (now.status, now.reason, now.crop) == (Status.KEPT_ORIGINAL, Reason.RESTORED, None)
    assert keeping.store.get(now.stored.key) == content
    assert now.stored.key == key
    assert now.stored.sha256 == now.original.sha256 == sha256_of(content)
    assert (now.stored.width, now.stored.height) == (640, 480)
    assert now.stored.exact
    assert now.saved_bytes == 0
    assert now.original.retained_key is None
    assert now.original.retention is None
    assert keeping.store.get(record.stored.key) is None
    assert keeping.ledger.due(NOW, limit=1) == ()
    history = keeping.ledger.history(record.id)
    assert is_unbroken(history)
    assert json.loads(history[0].details)["context"]["sha256"] == record.context.sha256
    assert history[-1].event == "restored"
    assert json.loads(history[-1].details)["stored"]["key"] == key


def test_original_in_the_own_store_is_the_stored_object_again(keeping: Keeping) -> None:
    record = keeping.uploaded()

    restored = keeping.restore.restored(record.id)

    assert restored == keeping.ledger.by_id(record.id)
    key = record.original.retained_key or ""
    assert_restored(keeping, record, key=key, content=painted_photo(0))
    assert objects(keeping) == [key]
    totals = keeping.ledger.totals(PhotoFilter(), min_billable_bytes=0)
    assert (totals.kept_original, totals.saved_bytes, totals.freed_bytes) == (1, 0, 0)


@pytest.mark.parametrize("retention", [Retention.GRACE, Retention.SOURCE])
def test_archives_source_is_the_stored_object_under_its_address(
    keeping: Keeping, retention: Retention
) -> None:
    record = keeping.archived(retention=retention)

    restored = keeping.restore.restored(record.id)

    assert_restored(keeping, record, key=f"{ARCHIVE}/2019/0.jpg", content=painted_photo(0))
    assert restored.keys == ()
    assert objects(keeping) == []


def test_crop_beside_its_source_is_deleted_there(keeping: Keeping) -> None:
    crop_key = f"{ARCHIVE}/2019/0.jpg.metercrop.jpg"
    record = keeping.archived(crop_key=crop_key)

    keeping.restore.restored(record.id)

    assert [found.key for found in keeping.bucket.objects()] == ["2019/0.jpg"]


def test_restored_photo_is_restored_once(keeping: Keeping) -> None:
    record = keeping.uploaded()
    once = keeping.restore.restored(record.id)

    assert keeping.restore.restored(record.id) == once
    assert len(keeping.ledger.history(record.id)) == 2


def test_photo_whose_original_was_kept_is_left_as_it_is(keeping: Keeping) -> None:
    record = kept_record("kept")
    keeping.ledger.record(record)

    assert keeping.restore.restored(record.id) == record


def test_unknown_photo_is_not_found(keeping: Keeping) -> None:
    with pytest.raises(NotFound) as missing:
        keeping.restore.restored(uuid4())

    assert missing.value.code == "photo.not_found"


def assert_gone(keeping: Keeping, record: Record) -> None:
    before = keeping.ledger.by_id(record.id)
    with pytest.raises(NotFound) as gone:
        keeping.restore.restored(record.id)

    assert gone.value.code == "original.gone"
    assert keeping.ledger.by_id(record.id) == before
    assert keeping.store.get(record.stored.key) is not None


def test_purged_original_is_gone(keeping: Keeping) -> None:
    record = keeping.uploaded()
    keeping.purged()

    assert_gone(keeping, record)


def test_source_that_somebody_deleted_is_gone(keeping: Keeping) -> None:
    record = keeping.archived()
    keeping.bucket.objects_by_key.clear()

    assert_gone(keeping, record)


def test_source_that_somebody_replaced_is_gone(keeping: Keeping) -> None:
    record = keeping.archived()
    keeping.bucket.put("2019/0.jpg", painted_photo(77))

    assert_gone(keeping, record)


def test_own_original_that_is_missing_or_damaged_is_the_stores_failure(keeping: Keeping) -> None:
    record = keeping.uploaded()
    key = record.original.retained_key or ""
    keeping.store.put(key, b"damaged", media_type="image/jpeg")

    with pytest.raises(Unavailable, match=key):
        keeping.restore.restored(record.id)
    keeping.store.delete(key)
    with pytest.raises(Unavailable, match=key):
        keeping.restore.restored(record.id)

    assert keeping.ledger.by_id(record.id) == record
    assert keeping.store.get(record.stored.key) is not None


def test_source_under_a_newer_version_is_copied_from_its_own(keeping: Keeping) -> None:
    keeping.bucket.versioned = True
    record = keeping.archived()
    keeping.bucket.put("2019/0.jpg", painted_photo(77))

    keeping.restore.restored(record.id)

    assert_restored(keeping, record, key=key_of_copy(record), content=painted_photo(0))
    newest = keeping.bucket.find("2019/0.jpg")
    assert newest is not None
    assert keeping.bucket.read(newest) == painted_photo(77)


def test_original_behind_a_delete_marker_is_copied_into_the_own_store(keeping: Keeping) -> None:
    keeping.bucket.versioned = True
    record = keeping.archived()
    keeping.purged()

    keeping.restore.restored(record.id)

    assert_restored(keeping, record, key=key_of_copy(record), content=painted_photo(0))
    assert objects(keeping) == [key_of_copy(record)]


def test_locked_original_is_copied_as_a_purge_may_still_be_after_it(keeping: Keeping) -> None:
    record = keeping.archived()
    keeping.bucket.locked = {"2019/0.jpg"}
    keeping.purged()

    keeping.restore.restored(record.id)

    assert_restored(keeping, record, key=key_of_copy(record), content=painted_photo(0))


def key_of_copy(record: Record) -> str:
    sha256 = record.original.sha256
    return f"restored/{sha256[:2]}/{sha256[2:4]}/{sha256}.jpg"


def test_crop_that_cannot_be_deleted_is_left_and_the_photo_restored(keeping: Keeping) -> None:
    record = keeping.archived(crop_key=f"{ARCHIVE}/2019/0.jpg.metercrop.jpg")
    keeping.bucket.forbidden = {"2019/0.jpg.metercrop.jpg"}

    restored = keeping.restore.restored(record.id)

    assert restored.stored.key == f"{ARCHIVE}/2019/0.jpg"


def test_crop_that_the_photo_has_got_again_meanwhile_is_not_deleted(keeping: Keeping) -> None:
    """Deleted and uploaded anew, it has the same key: that of photo, model and rules."""
    record = keeping.uploaded()
    anew = replace(record, id=uuid4())

    class Overtaken(FakeLedger):
        def change(self, before: Record, after: Record, *, told: Told | None = None) -> bool:
            changed = super().change(before, after, told=told)
            self.delete(record.id, at=NOW)
            self.record(anew)
            return changed

    ledger = Overtaken()
    ledger.record(record)
    keeping.ledger = ledger

    keeping.restore.restored(record.id)

    assert keeping.store.get(anew.stored.key) is not None
    assert anew.context is not None
    assert keeping.store.get(anew.context.key) is not None


@pytest.mark.parametrize("retention", [Retention.GRACE, Retention.SOURCE, Retention.LOCKED])
def test_deleting_a_photo_never_deletes_an_archives_own_object(
    keeping: Keeping, retention: Retention
) -> None:
    cropped = keeping.archived(0, retention=retention)
    restored = keeping.archived(1)
    keeping.restore.restored(restored.id)

    for record in (cropped, restored):
        delete_photo(keeping.ledger, keeping.store, record.id, at=NOW)

    assert [found.key for found in keeping.bucket.objects()] == ["2019/0.jpg", "2019/1.jpg"]
    assert objects(keeping) == []
    history = keeping.ledger.history(restored.id)
    assert [entry.event for entry in history] == ["recorded", "restored", "deleted"]


def test_original_can_be_had_while_nothing_is_about_to_delete_it(keeping: Keeping) -> None:
    grace, source = keeping.uploaded(0), keeping.archived(1, retention=Retention.SOURCE)
    marked = keeping.archived(2, retention=Retention.MARKED)
    going = keeping.uploaded(3)
    begun = replace(going, original=replace(going.original, retained_until=None))

    assert original_object(grace) == grace.original.retained_key
    assert original_object(source) == f"{ARCHIVE}/2019/1.jpg"
    for record, why in ((marked, "delete"), (begun, "being deleted")):
        with pytest.raises(NotFound, match=why) as gone:
            original_object(record)
        assert gone.value.code == "original.gone"
