"""Photos that were taken in: found, read, deleted."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.core.errors import NotFound, Unavailable
from service.usecases.photos import (
    CHUNK_BYTES,
    delete_photo,
    object_chunks,
    original_object,
    record_of,
)
from tests.fakes import FakeLedger, FakeObjectStore
from tests.records import NOON, cropped_record, kept_record


def test_record_is_found_by_its_id(ledger: FakeLedger) -> None:
    record = ledger.record(cropped_record("a")).record

    assert record_of(ledger, record.id) == record


def test_unknown_photo_is_not_found(ledger: FakeLedger) -> None:
    photo_id = uuid4()

    with pytest.raises(NotFound, match=str(photo_id)) as missing:
        record_of(ledger, photo_id)

    assert missing.value.code == "photo.not_found"


def test_original_is_the_stored_object_where_it_was_kept_for_good() -> None:
    record = kept_record("a")

    assert original_object(record) == record.stored.key


def test_original_of_a_crop_is_where_it_is_retained() -> None:
    assert original_object(cropped_record("a", retained_key="originals/a.jpg")) == "originals/a.jpg"


def test_original_that_was_not_retained_is_gone() -> None:
    with pytest.raises(NotFound) as missing:
        original_object(cropped_record("a"))

    assert missing.value.code == "original.gone"


def test_large_object_comes_in_chunks_that_are_whole_together(store: FakeObjectStore) -> None:
    content = bytes(range(256)) * (2 * CHUNK_BYTES // 256 + 10)
    store.put("large.jpg", content, media_type="image/jpeg")

    chunks = list(object_chunks(store, "large.jpg", start=100, length=len(content) - 100))

    assert b"".join(chunks) == content[100:]
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert len(chunks) == 3


@pytest.mark.parametrize("missing", ["gone.jpg", "short.jpg"])
def test_object_that_is_gone_or_too_short_is_the_stores_failure(
    store: FakeObjectStore, missing: str
) -> None:
    store.put("short.jpg", b"half", media_type="image/jpeg")

    with pytest.raises(Unavailable, match=missing):
        list(object_chunks(store, missing, start=0, length=8))


def test_deleted_photo_takes_all_its_objects_with_it(
    store: FakeObjectStore, ledger: FakeLedger
) -> None:
    record = ledger.record(cropped_record("a", retained_key="originals/a.jpg")).record
    for key in record.keys:
        store.put(key, b"bytes", media_type="image/jpeg")

    delete_photo(ledger, store, record.id, at=NOON)

    assert list(store.objects()) == []
    assert ledger.by_id(record.id) is None


def test_photo_whose_objects_cannot_be_deleted_keeps_its_record(
    store: FakeObjectStore, ledger: FakeLedger
) -> None:
    record = ledger.record(cropped_record("a")).record
    store.available = False

    with pytest.raises(Unavailable):
        delete_photo(ledger, store, record.id, at=NOON)

    assert ledger.by_id(record.id) == record


def test_deletion_that_broke_off_after_the_objects_can_be_repeated(
    store: FakeObjectStore, ledger: FakeLedger
) -> None:
    record = ledger.record(cropped_record("a")).record

    delete_photo(ledger, store, record.id, at=NOON)

    assert ledger.by_id(record.id) is None
