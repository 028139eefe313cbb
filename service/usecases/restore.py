"""The original becomes the stored object again; then crop and context picture are deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from service.core.crop import Reason
from service.core.errors import NotFound, ObjectRejected, RequestRejected, Unavailable
from service.core.history import restored
from service.core.photo import PhotoFormat
from service.core.record import OriginalPhoto, Record, Status, StoredPhoto, is_address
from service.ports import Ledger, ObjectStore
from service.usecases.object_keys import object_key
from service.usecases.originals import Originals, Presence, without_retention
from service.usecases.photos import delete_leftovers, record_of, whole_object

ATTEMPTS = 5
"""Another one only where somebody else has changed the record meanwhile."""


@dataclass(frozen=True, slots=True)
class Restore:
    """`clock` tells the present moment in UTC."""

    ledger: Ledger
    store: ObjectStore
    """Understands whole addresses as keys too."""
    originals: Originals
    clock: Callable[[], datetime]

    def restored(self, photo_id: UUID) -> Record:
        """The record with its original stored; one whose original was kept comes as it is.

        Raises `NotFound` `photo.not_found` and `original.gone`, and `Unavailable`: then nothing
        has changed, and trying again is safe.
        """
        for _ in range(ATTEMPTS):
            before = record_of(self.ledger, photo_id)
            if before.status is Status.KEPT_ORIGINAL:
                return before
            try:
                after = _with_original_at(self._key(before), before)
            except Unavailable:
                if self.ledger.by_id(photo_id) == before:
                    raise
                continue  # it was purged while it was looked for
            if self.ledger.change(before, after, told=restored(after, at=self.clock())):
                self._delete_leftovers(before, after)
                return after
        raise Unavailable(
            "database.unavailable",
            f"the record of photo {photo_id} was changed by others each time; try again",
        )

    def _key(self, record: Record) -> str:
        """Where the original lies and stays, read back whole."""
        original = record.original
        if original.retained_key is None:
            raise _gone(record, "is no longer kept")
        if not original.may_be_deleted and not is_address(original.retained_key):
            whole_object(self.store, original.retained_key, sha256=original.sha256)
            return original.retained_key
        try:
            return self._key_in_archive(record, original.retained_key)
        except (ObjectRejected, RequestRejected) as error:
            raise Unavailable("store.unavailable", str(error), retry_after_s=60) from error

    def _key_in_archive(self, record: Record, retained_key: str) -> str:
        """Its address, or the key of a copy where that is no place to depend on."""
        original = record.original
        if not original.may_be_deleted:
            finding = self.originals.finding(original)
            if finding.presence is Presence.THERE:
                return retained_key
        content = self.originals.content(original)
        if content is None:
            raise _gone(record, f"is no longer to be found at {retained_key}")
        key = _key_of_copy(original)
        self.store.put(key, content, media_type=original.media_type)
        whole_object(self.store, key, sha256=original.sha256)
        return key

    def _delete_leftovers(self, before: Record, after: Record) -> None:
        now = self.ledger.by_original(before.original.sha256)
        needed = {after.stored.key, *(() if now is None else now.keys)}
        delete_leftovers(self.store, set(before.keys) - needed, photo_id=before.id)


def _with_original_at(key: str, record: Record) -> Record:
    original = record.original
    stored = StoredPhoto(
        sha256=original.sha256,
        bytes=original.bytes,
        media_type=original.media_type,
        width=original.width,
        height=original.height,
        key=key,
        exact=True,
    )
    return replace(
        record,
        status=Status.KEPT_ORIGINAL,
        reason=Reason.RESTORED,
        crop=None,
        stored=stored,
        original=without_retention(original),
        context=None,
    )


def _key_of_copy(original: OriginalPhoto) -> str:
    """Apart from `originals`, where a purge may be about to delete the same photo."""
    extension = PhotoFormat(original.media_type).extension
    return object_key("restored", original.sha256, extension)


def _gone(record: Record, why: str) -> NotFound:
    return NotFound("original.gone", f"the original of photo {record.id} {why}; its crop stays")
