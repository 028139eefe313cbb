"""Photos that were taken in: found, read, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from service.core.errors import NotFound, Unavailable
from service.core.record import Record
from service.ports import Ledger, ObjectStore

CHUNK_BYTES = 4_000_000


def record_of(ledger: Ledger, photo_id: UUID) -> Record:
    """Raises `NotFound` `photo.not_found`."""
    record = ledger.by_id(photo_id)
    if record is None:
        raise NotFound("photo.not_found", f"there is no photo {photo_id}")
    return record


def original_object(record: Record) -> str:
    """The key under which the original's bytes lie; raises `NotFound` `original.gone`."""
    if record.crop is None:
        return record.stored.key
    if record.original.retained_key is None:
        raise NotFound(
            "original.gone",
            f"the original of photo {record.id} was not kept; its crop is at /content",
        )
    return record.original.retained_key


def object_chunks(store: ObjectStore, key: str, *, start: int, length: int) -> Iterator[bytes]:
    """The bytes of a recorded object, a few MB at a time: memory stays flat however large it is.

    That it is missing or shorter than recorded is the store's failure, never a 'not found'.
    """
    end = start + length
    while start < end:
        chunk = store.get_range(key, start=start, length=min(CHUNK_BYTES, end - start))
        if not chunk:
            raise _missing(key)
        yield chunk
        start += len(chunk)


def delete_photo(ledger: Ledger, store: ObjectStore, photo_id: UUID) -> None:
    """Objects first, then the record: a crash between leaves a record that says what is gone."""
    record = record_of(ledger, photo_id)
    for key in record.keys:
        store.delete(key)
    ledger.delete(photo_id)


def _missing(key: str) -> Unavailable:
    return Unavailable(
        "store.unavailable",
        f"the object {key} is recorded but not, or not whole, in the store; has the store been "
        "restored or pointed elsewhere?",
        retry_after_s=60,
    )
