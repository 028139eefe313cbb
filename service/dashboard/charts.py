"""What `static/charts.js` draws: numbers, and the words that stand for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    BAR = "bar"
    """The series of a step one before the other, the last in front."""
    LINE = "line"


class Unit(StrEnum):
    """How the axis is written."""

    BYTES = "bytes"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each label, None where there is none; `texts` are shown in their place."""

    label: str
    colour: str
    """A custom property of the style sheet, such as `--stored`."""
    values: Sequence[float | None]
    texts: Sequence[str]
    alarms: Sequence[bool] = ()
    """Which values stand out, of a line."""


@dataclass(frozen=True, slots=True)
class Chart:
    kind: Kind
    unit: Unit
    labels: Sequence[str]
    series: Sequence[Series]
    notes: Sequence[str] = ()
    """A line more for each label, where one points at it."""
    from_zero: bool = True

    def spec(self) -> dict[str, Any]:
        """As the script reads it, fit for JSON."""
        return asdict(self)
