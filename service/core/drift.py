"""Drift: whether a model's days are still like its own earlier weeks.

Days count by when photos came in. Of each figure a control chart is kept, with limits of three
sigma around what the model did in four weeks that ended a week before: for the share refused the
p' chart (Laney 2002: Shewhart's p chart, widened by how much the days really differ), for means
the chart of individuals with moving ranges (Shewhart; Montgomery, Statistical Quality Control).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import sqrt
from statistics import fmean

from service.core.crop import Reason
from service.core.record import ModelUsed, Record, Status
from service.core.spans import shifted

PARTS_PER_UNIT = 1_000_000
"""Shares are summed as whole millionths, so that sums don't depend on their order."""
MIN_PHOTOS = 30
"""A day with fewer says nothing."""
MIN_DAYS = 7
"""Fewer such days are no earlier weeks to compare with."""
BASELINE = timedelta(days=28)
GAP = timedelta(days=7)
"""The last week is no measure for its own days: what has just begun to drift is in it."""
VERSION_DIGITS = 12
"""So much of a file's SHA-256 tells versions of a model apart."""
SIGMAS = 3.0
RANGE_TO_SIGMA = 1.128
"""The mean moving range of a normal variable is so many sigma (d2 for ranges of two)."""


class Figure(StrEnum):
    REFUSED = "refused_fraction"
    CONFIDENCE = "mean_confidence"
    REGION = "mean_region_fraction"


SMALLEST_CHANGE: Mapping[Figure, float] = {
    Figure.REFUSED: 0.02,
    Figure.CONFIDENCE: 0.02,
    Figure.REGION: 0.005,
}
"""Less is of no use to know, however sure it is."""
NAMES: Mapping[Figure, str] = {
    Figure.REFUSED: "The share of photos refused",
    Figure.CONFIDENCE: "The mean confidence",
    Figure.REGION: "The mean share of the photo that the region fills",
}


@dataclass(frozen=True, slots=True)
class ModelDay:
    """What a model made of the photos that came in on a day of UTC; sums, those in millionths."""

    day: date
    model: str
    """Its name and the first twelve digits of its file's SHA-256."""
    photos: int
    cropped: int
    refused: int
    """Originals that were kept, but for those that somebody restored."""
    confidence_millionths: int
    region_millionths: int
    """Of the photo's area, over the cropped ones."""

    @property
    def refused_fraction(self) -> float:
        return self.refused / self.photos if self.photos else 0.0

    @property
    def mean_confidence(self) -> float:
        return self.confidence_millionths / PARTS_PER_UNIT / self.photos if self.photos else 0.0

    @property
    def mean_region_fraction(self) -> float | None:
        """None where no photo was cropped."""
        return self.region_millionths / PARTS_PER_UNIT / self.cropped if self.cropped else None

    def value(self, figure: Figure) -> float | None:
        match figure:
            case Figure.REFUSED:
                return self.refused_fraction
            case Figure.CONFIDENCE:
                return self.mean_confidence
            case Figure.REGION:
                return self.mean_region_fraction


@dataclass(frozen=True, slots=True)
class Alarm:
    """A figure outside its limits; `expected` is what the model's earlier weeks had."""

    figure: Figure
    value: float
    expected: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        shown = f"{self.value:.1%}, where its earlier weeks had {self.expected:.1%}"
        usual = f"and {self.low:.1%} to {self.high:.1%} would be usual"
        return f"{NAMES[self.figure]} was {shown} {usual}."


@dataclass(frozen=True, slots=True)
class DriftDay:
    day: ModelDay
    is_judged: bool
    """False where the day or the weeks before it have too few photos."""
    alarms: tuple[Alarm, ...] = ()


def version_of(model: ModelUsed) -> str:
    return f"{model.name} {model.sha256[:VERSION_DIGITS]}"


def is_refused(record: Record) -> bool:
    """Whether the original was kept, but not because somebody brought it back."""
    return record.status is Status.KEPT_ORIGINAL and record.reason is not Reason.RESTORED


def confidence_millionths(record: Record) -> int:
    """Cut off, not rounded, as databases round halves differently."""
    return int(record.confidence * PARTS_PER_UNIT)


def region_millionths(record: Record) -> int:
    """What share of the photo's area the region fills; 0 where nothing was cropped."""
    if record.crop is None:
        return 0
    region, photo = record.crop.region, record.original
    return region.width * region.height * PARTS_PER_UNIT // (photo.width * photo.height)


def first_day_needed(since: date) -> date:
    """The first day that counts for judging those from `since` on."""
    return shifted(since, -BASELINE - GAP)


def drift_of(days: Iterable[ModelDay], *, since: date) -> tuple[DriftDay, ...]:
    """Those from `since` on, in order of day and model; days before are what they are held to."""
    by_model: dict[str, list[ModelDay]] = defaultdict(list)
    for day in sorted(days, key=lambda each: each.day):
        by_model[day.model].append(day)
    judged = [
        _judged(day, of_model)
        for of_model in by_model.values()
        for day in of_model
        if day.day >= since
    ]
    return tuple(sorted(judged, key=lambda each: (each.day.day, each.day.model)))


def _judged(day: ModelDay, of_model: Sequence[ModelDay]) -> DriftDay:
    first = first_day_needed(day.day)
    baseline = [
        each for each in of_model if first <= each.day < first + BASELINE and _is_busy(each)
    ]
    if not _is_busy(day) or len(baseline) < MIN_DAYS:
        return DriftDay(day, is_judged=False)
    found = (_alarm(figure, day, baseline) for figure in Figure)
    return DriftDay(day, is_judged=True, alarms=tuple(each for each in found if each is not None))


def _is_busy(day: ModelDay) -> bool:
    return day.photos >= MIN_PHOTOS


def _alarm(figure: Figure, day: ModelDay, baseline: Sequence[ModelDay]) -> Alarm | None:
    value = day.value(figure)
    earlier = [known for each in baseline if (known := each.value(figure)) is not None]
    if value is None or len(earlier) < MIN_DAYS:
        return None
    if figure is Figure.REFUSED:
        expected, sigma = _of_shares(day, baseline)
    else:
        expected, sigma = fmean(earlier), _moving_sigma(earlier)
    reach = max(SIGMAS * sigma, SMALLEST_CHANGE[figure])
    low, high = max(0.0, expected - reach), min(1.0, expected + reach)
    return None if low <= value <= high else Alarm(figure, value, expected, low, high)


def _of_shares(day: ModelDay, baseline: Sequence[ModelDay]) -> tuple[float, float]:
    """Mean and sigma for a day of as many photos, by the p' chart; never less than binomial."""
    photos = sum(each.photos for each in baseline)
    # Half a photo more: where none was ever refused, the first one is no alarm.
    share = (sum(each.refused for each in baseline) + 0.5) / (photos + 1.0)
    spread = sqrt(share * (1.0 - share))
    scores = [(each.refused_fraction - share) / spread * sqrt(each.photos) for each in baseline]
    return share, spread / sqrt(day.photos) * max(1.0, _moving_sigma(scores))


def _moving_sigma(values: Sequence[float]) -> float:
    ranges = (abs(one - other) for one, other in zip(values[1:], values, strict=False))
    return fmean(ranges) / RANGE_TO_SIGMA
