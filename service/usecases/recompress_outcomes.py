"""What became of crops that were to be packed, or unpacked, one by one and all together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from service.core.record import Record


class Why(StrEnum):
    """Why a crop stays as it lies in the store."""

    NO_GAIN = "no_gain"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    CROP_MISSING = "crop_missing"
    CROP_CHANGED = "crop_changed"
    UNEXPECTED = "unexpected"


ALARMS = frozenset({Why.CROP_MISSING, Why.CROP_CHANGED, Why.UNEXPECTED})
"""Somebody has to look; the next pass looks again too."""

MEANINGS: Mapping[Why, str] = {
    Why.NO_GAIN: "packed it would not be smaller",
    Why.REFUSED: "packed it would not come back as the very same bytes",
    Why.TOO_LARGE: "it has too many pixels to be unpacked whenever somebody looks at it",
    Why.CROP_MISSING: "there is no object under its key",
    Why.CROP_CHANGED: "under its key lie other bytes than were recorded",
}


@dataclass(frozen=True, slots=True)
class Recompressed:
    """`record` tells how it was before."""

    record: Record
    bytes_now: int

    @property
    def saved_bytes(self) -> int:
        """Less than nothing where it was unpacked."""
        return self.record.stored.bytes - self.bytes_now


@dataclass(frozen=True, slots=True)
class StaysAsItIs:
    record: Record
    why: Why
    message: str


@dataclass(slots=True)
class RecompressTotals:
    """Counts as outcomes come in; bytes are those of crops that were recompressed."""

    recompressed: int = 0
    bytes_before: int = 0
    bytes_now: int = 0
    stay: Counter[Why] = field(default_factory=Counter)

    def add(self, outcome: Recompressed | StaysAsItIs) -> None:
        match outcome:
            case Recompressed(record=record, bytes_now=bytes_now):
                self.recompressed += 1
                self.bytes_before += record.stored.bytes
                self.bytes_now += bytes_now
            case StaysAsItIs(why=why):
                self.stay[why] += 1

    @property
    def photos(self) -> int:
        return self.recompressed + self.stay.total()

    @property
    def saved_bytes(self) -> int:
        return self.bytes_before - self.bytes_now

    @property
    def is_all_well(self) -> bool:
        return not any(self.stay[why] for why in ALARMS)
