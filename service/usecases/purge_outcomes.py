"""What became of originals whose grace is over, one by one and all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.core.record import Record


class Why(StrEnum):
    """Why an original stays although its grace is over."""

    CROP_MISSING = "crop_missing"
    CROP_CHANGED = "crop_changed"
    CROP_UNREADABLE = "crop_unreadable"
    NO_CROP = "no_crop"
    ORIGINAL_CHANGED = "original_changed"
    ACCESS_DENIED = "access_denied"
    LOCKED = "locked"
    MARKED = "marked"
    UNREACHABLE = "unreachable"
    """Its archive does not answer, while the service's own store does."""
    UNEXPECTED = "unexpected"


ALARMS = frozenset(
    {
        Why.CROP_MISSING,
        Why.CROP_CHANGED,
        Why.CROP_UNREADABLE,
        Why.UNREACHABLE,
        Why.UNEXPECTED,
    }
)
"""Somebody has to look: above all at a crop that is not what was stored, for then what the photo
showed is in the original alone."""

MEANINGS: Mapping[Why, str] = {
    Why.NO_CROP: "the record says that the original itself is the stored object",
    Why.ORIGINAL_CHANGED: "under its name lie other bytes than were recorded",
    Why.LOCKED: "Object Lock or a legal hold keeps it",
    Why.MARKED: "a delete marker hides it, but the versioned bucket still stores it",
}


@dataclass(frozen=True, slots=True)
class Purged:
    """The original is no longer stored; `record` tells how it was before."""

    record: Record

    @property
    def freed_bytes(self) -> int:
        return self.record.original.bytes


@dataclass(frozen=True, slots=True)
class Stays:
    """The original is still stored and paid for; `record` tells how it was before."""

    record: Record
    why: Why
    message: str


@dataclass(slots=True)
class PurgeTotals:
    """Counts as outcomes come in."""

    purged: int = 0
    freed_bytes: int = 0
    stay: Counter[Why] = field(default_factory=Counter)

    def add(self, outcome: Purged | Stays) -> None:
        match outcome:
            case Purged(freed_bytes=freed_bytes):
                self.purged += 1
                self.freed_bytes += freed_bytes
            case Stays(why=why):
                self.stay[why] += 1

    @property
    def photos(self) -> int:
        return self.purged + self.stay.total()

    @property
    def is_all_well(self) -> bool:
        return not any(self.stay[why] for why in ALARMS)
