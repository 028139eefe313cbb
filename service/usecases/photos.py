"""Photos that were taken in: found, read, deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

import structlog

from service.core.errors import MetercropError, NotFound, Unavailable
from service.core.history import HistoryEntry
from service.core.photo import sha256_of
from service.core.record import ContextPicture, Record, Retention, StoredPhoto, is_address
from service.imaging.jpeg_xl import unpacked
from service.ports import Ledger, ObjectStore

CHUNK_BYTES = 4_000_000


def record_of(ledger: Ledger, photo_id: UUID) -> Record:
    """Raises `NotFound` `photo.not_found`."""
    record = ledger.by_id(photo_id)
    if record is None:
        raise _no_photo(photo_id)
    return record


def history_of(ledger: Ledger, photo_id: UUID) -> tuple[HistoryEntry, ...]:
    """A deleted photo's too, and none of a record from before histories were kept.

    Raises `NotFound` `photo.not_found` where there is neither history nor record.
    """
    history = ledger.history(photo_id)
    if not history and ledger.by_id(photo_id) is None:
        raise _no_photo(photo_id)
    return history


def original_object(record: Record) -> str:
    """The key under which the original's bytes lie; raises `NotFound` `original.gone`."""
    if record.crop is None:
        return record.stored.key
    original = record.original
    if original.retained_key is None:
        why = "was not kept, or its grace is over"
    elif original.retention is Retention.MARKED:
        why = "was deleted, and only its bucket's older version is left: restore brings that back"
    elif original.is_being_purged:
        why = "is being deleted, as its grace is over"
    else:
        return original.retained_key
    raise _gone(record, why)


def context_of(record: Record) -> ContextPicture:
    """Raises `NotFound` `context.none`."""
    if record.context is not None:
        return record.context
    if record.crop is None:
        why = "is stored whole: look at /content"
    else:
        why = "was cropped without one: none was asked for, or it would have saved nothing"
    raise NotFound("context.none", f"photo {record.id} has no context picture; it {why}")


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


def stored_chunks(
    store: ObjectStore, stored: StoredPhoto, *, start: int, length: int
) -> Iterator[bytes]:
    """As `object_chunks`, of what is served: a packed crop is unpacked whole."""
    if stored.is_packed:
        yield whole_picture(store, stored)[start : start + length]
    else:
        yield from object_chunks(store, stored.key, start=start, length=length)


def whole_picture(store: ObjectStore, picture: StoredPhoto | ContextPicture) -> bytes:
    """As `whole_object`, of what is served."""
    if isinstance(picture, ContextPicture):
        return whole_object(store, picture.key, sha256=picture.sha256)
    content = stored_content(store, picture)
    if content is None or sha256_of(content) != picture.sha256:
        raise _missing(picture.key)
    return content


def stored_content(store: ObjectStore, stored: StoredPhoto) -> bytes | None:
    """As it would be served, whether or not these are the recorded bytes; None of no object.

    Every reader of what is stored comes by here, or by one of the functions above: nobody else
    has to know that some crops lie there packed. Of one that can't be unpacked it is nothing.
    """
    content = store.get(stored.key)
    if content is None or not stored.is_packed:
        return content
    return unpacked(content) or b""


def whole_object(store: ObjectStore, key: str, *, sha256: str) -> bytes:
    """The bytes of a recorded object; that they are missing or others is the store's failure."""
    content = store.get(key)
    if content is None or sha256_of(content) != sha256:
        raise _missing(key)
    return content


def require_stored(store: ObjectStore, record: Record) -> None:
    """What lies in an archive is its owner's to change, so it is compared before it is served.

    Raises `Unavailable` where it is missing or has other bytes.
    """
    stored = record.stored
    if is_address(stored.key) and not _has(store, stored.key, stored.sha256, length=stored.bytes):
        raise _missing(stored.key)


def require_original(store: ObjectStore, record: Record) -> None:
    """The same of the original; raises `NotFound` `original.gone`."""
    key, original = original_object(record), record.original
    if is_address(key) and not _has(store, key, original.sha256, length=original.bytes):
        raise _gone(record, f"is no longer to be found at {key}")


def delete_photo(ledger: Ledger, store: ObjectStore, photo_id: UUID, *, at: datetime) -> None:
    """Objects first, then the record: a crash between leaves a record that says what is gone."""
    record = record_of(ledger, photo_id)
    for key in record.keys:
        store.delete(key)
    last = ledger.delete(photo_id, at=at)
    if last is not None:  # somebody may have changed it meanwhile
        delete_leftovers(store, set(last.keys) - set(record.keys), photo_id=photo_id)


def delete_leftovers(store: ObjectStore, keys: Collection[str], *, photo_id: UUID) -> None:
    """What nothing refers to any more; what fails here, `reconcile` finds."""
    try:
        for key in keys:
            store.delete(key)
    except MetercropError as error:
        log = structlog.get_logger()
        log.warning("photo.leftover", photo_id=str(photo_id), why=str(error))


def _has(store: ObjectStore, key: str, sha256: str, *, length: int) -> bool:
    """Whether these are the object's bytes, read like `object_chunks`."""
    digest, start = hashlib.sha256(), 0
    while start < length:
        chunk = store.get_range(key, start=start, length=min(CHUNK_BYTES, length - start))
        if not chunk:
            return False
        digest.update(chunk)
        start += len(chunk)
    return digest.hexdigest() == sha256


def _no_photo(photo_id: UUID) -> NotFound:
    return NotFound("photo.not_found", f"there is no photo {photo_id}")


def _gone(record: Record, why: str) -> NotFound:
    why = f"the original of photo {record.id} {why}; what is stored of it is at /content"
    return NotFound("original.gone", why)


def _missing(key: str) -> Unavailable:
    return Unavailable(
        "store.unavailable",
        f"the object {key} is recorded but not, or not whole, in the store; has the store been "
        "restored or pointed elsewhere?",
        retry_after_s=60,
    )
