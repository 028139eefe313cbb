"""A photo's history: entries that each carry the hash of the one before.

So none can be changed, or taken out of the middle, unnoticed; who has noted the last hash notices
what happens at the end too.

An entry's hash is the SHA-256 of the UTF-8 JSON of all else that it says: the keys `at`,
`details`, `event`, `number`, `photo_id`, `previous_sha256`, sorted like those within `details`,
without spaces, no character escaped that need not be. Details hold no fractions, which programs
write differently: a confidence is text. What there is none of is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID

from service.core.geometry import Box
from service.core.record import (
    ContextPicture,
    CropRecord,
    ModelUsed,
    OriginalPhoto,
    Record,
    StoredPhoto,
)

Detail: TypeAlias = "str | int | Mapping[str, Detail]"
Details: TypeAlias = Mapping[str, Detail]

BEFORE_THE_FIRST = "0" * 64


class Event(StrEnum):
    RECORDED = "recorded"
    SUPERSEDED = "superseded"
    """Another model or other rules gave it another crop, or kept it."""
    RESTORED = "restored"
    PURGED = "purged"
    """The original was deleted."""
    RETAINED = "retained"
    """The original was to be deleted, and stays; the details say why."""
    RECOMPRESSED = "recompressed"
    """The same bytes lie in the store in fewer; the details say in how many, and where."""
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of a change."""

    event: Event
    details: Details
    at: datetime


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """As it was written; `event` is one of `Event`, `details` the JSON text that was hashed."""

    photo_id: UUID
    number: int
    at: datetime
    event: str
    details: str
    previous_sha256: str
    sha256: str

    def tells(self, told: Told) -> bool:
        """Whether it says the same, at whatever time."""
        return (self.event, self.details) == (told.event.value, canonical(told.details))


def next_entry(last: HistoryEntry | None, photo_id: UUID, told: Told) -> HistoryEntry:
    """The entry that comes behind `last`, the first where that is None."""
    number = 1 if last is None else last.number + 1
    previous = BEFORE_THE_FIRST if last is None else last.sha256
    event, details = told.event.value, canonical(told.details)
    digest = _digest(photo_id, number, at=told.at, event=event, details=details, previous=previous)
    return HistoryEntry(photo_id, number, told.at, event, details, previous, digest)


def is_unbroken(entries: Iterable[HistoryEntry]) -> bool:
    """Whether these are a photo's entries from the first on, each as it was written."""
    previous = BEFORE_THE_FIRST
    for number, entry in enumerate(entries, start=1):
        digest = _digest(
            entry.photo_id,
            number,
            at=entry.at,
            event=entry.event,
            details=entry.details,
            previous=previous,
        )
        if (entry.number, entry.previous_sha256, entry.sha256) != (number, previous, digest):
            return False
        previous = digest
    return True


def canonical(details: Details) -> str:
    return json.dumps(details, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def rfc_3339(moment: datetime) -> str:
    """In UTC, always with six digits of a second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def recorded(record: Record) -> Told:
    """The first entry of a record's history."""
    return Told(Event.RECORDED, account_of(record), record.received_at)


def recorded_before(record: Record) -> Told:
    """The first entry for a record that was made before there was a history, written later."""
    return Told(Event.RECORDED, {**account_of(record), "written": "later"}, record.received_at)


def restored(record: Record, *, at: datetime) -> Told:
    """The account as it is now."""
    return Told(Event.RESTORED, account_of(record), at)


def purged(original: OriginalPhoto, *, at: datetime) -> Told:
    """That the original, as it was retained until now, is no longer stored."""
    details: Details = {"freed_bytes": original.bytes, "retained": _retained(original)}
    return Told(Event.PURGED, details, at)


def retained(original: OriginalPhoto, *, why: str, at: datetime) -> Told:
    """That the original is still stored although its grace is over."""
    place = _known({"key": original.retained_key, "version": original.retained_version or None})
    return Told(Event.RETAINED, {"why": why, **place}, at)


def recompressed(before: StoredPhoto, after: StoredPhoto, *, at: datetime) -> Told:
    """That what is served as before lies in the store otherwise, which the hash proves."""
    details: Details = {"bytes_before": before.bytes, "stored": _stored(after)}
    return Told(Event.RECOMPRESSED, details, at)


def deleted(record: Record, *, at: datetime) -> Told:
    """What there was; an archive's own object stays where it is."""
    details = _known(
        {
            "stored": _stored(record.stored),
            "context": _context(record.context),
            "retained": _retained(record.original) or None,
        }
    )
    return Told(Event.DELETED, details, at)


def account_of(record: Record) -> Details:
    """What an auditor needs to know of a record."""
    details = {
        "source": record.source.value,
        "status": record.status.value,
        "reason": None if record.reason is None else record.reason.value,
        "confidence": f"{record.confidence:.4f}",
        "original": _original(record.original),
        "retained": _retained(record.original) or None,
        "stored": _stored(record.stored),
        "context": _context(record.context),
        "crop": None if record.crop is None else _crop(record.crop),
        "model": _model(record.model),
    }
    return _known(details)


def _known(details: Mapping[str, Detail | None]) -> Details:
    return {name: detail for name, detail in details.items() if detail is not None}


def _original(original: OriginalPhoto) -> Details:
    return {
        "sha256": original.sha256,
        "bytes": original.bytes,
        "media_type": original.media_type,
    }


def _retained(original: OriginalPhoto) -> Details:
    """Where and why the original lies beside its crop, empty where it does not."""
    until = original.retained_until
    return _known(
        {
            "key": original.retained_key,
            "version": original.retained_version or None,
            "why": None if original.retention is None else original.retention.value,
            "until": None if until is None else rfc_3339(until),
        }
    )


def _stored(stored: StoredPhoto) -> Details:
    return _known(
        {
            "sha256": stored.sha256,
            "bytes": stored.bytes,
            "media_type": stored.media_type,
            "key": stored.key,
            "exact": stored.exact,
            "encoding": None if stored.encoding is None else stored.encoding.value,
            "content_bytes": stored.unpacked_bytes,
        }
    )


def _context(context: ContextPicture | None) -> Details | None:
    if context is None:
        return None
    return {
        "sha256": context.sha256,
        "bytes": context.bytes,
        "media_type": context.media_type,
        "key": context.key,
    }


def _crop(crop: CropRecord) -> Details:
    return {**_box(crop.box), "region": _box(crop.region)}


def _box(box: Box) -> Details:
    return {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom}


def _model(model: ModelUsed) -> Details:
    return {"name": model.name, "sha256": model.sha256, "provider": model.provider}


def _digest(
    photo_id: UUID, number: int, *, at: datetime, event: str, details: str, previous: str
) -> str:
    """`details` goes in as it is: a change of its text alone is a change too."""
    told = (
        f'{{"at":"{rfc_3339(at)}","details":{details},"event":{json.dumps(event)},'
        f'"number":{number},"photo_id":"{photo_id}","previous_sha256":"{previous}"}}'
    )
    return sha256(told.encode()).hexdigest()
