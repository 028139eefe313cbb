"""What was saved, over many photos: totals, and groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Self

from service.core.fields import check_moment
from service.core.record import Record, Status

BYTES_PER_GB = 1_000_000_000


class GroupBy(StrEnum):
    """Days, weeks and months are those of UTC; a week is named by its Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SITE = "site"
    METER_TYPE = "meter_type"
    MODEL = "model"
    REASON = "reason"
    SOURCE = "source"

    @property
    def is_of_time(self) -> bool:
        return self in (GroupBy.DAY, GroupBy.WEEK, GroupBy.MONTH)


@dataclass(frozen=True, slots=True)
class Period:
    """Of `received_at`, half open; None is without an end on that side. Kept in UTC."""

    from_: datetime | None = None
    to: datetime | None = None

    def __post_init__(self) -> None:
        check_moment("from", self.from_)
        check_moment("to", self.to)
        for name in ("from_", "to"):
            moment: datetime | None = getattr(self, name)
            if moment is not None:
                object.__setattr__(self, name, moment.astimezone(UTC))


def asked_period(
    from_: datetime | None, to: datetime | None, *, default_days: int, now: datetime
) -> Period:
    """Without `from_` it begins so many days before its end, at midnight; with 0 at the start."""
    if from_ is not None or default_days == 0:
        return Period(from_, to)
    end = (to or now).astimezone(UTC)
    try:
        first = end.date() - timedelta(days=default_days)
    except OverflowError:
        return Period(None, to)
    return Period(datetime.combine(first, time(tzinfo=UTC)), to)


@dataclass(frozen=True, slots=True)
class SavingsTotals:
    """Sums over records; `freed_bytes` leaves out originals that are still kept beside a crop.

    Billable bytes count each object with at least the minimum that the store bills.
    """

    photos: int = 0
    cropped: int = 0
    original_bytes: int = 0
    stored_bytes: int = 0
    """Crops or whole originals, and the pictures of the whole beside the crops."""
    retained_bytes: int = 0
    """Originals in grace, locked or only marked as deleted, and those of archives left alone."""
    billable_original_bytes: int = 0
    billable_stored_bytes: int = 0
    billable_retained_bytes: int = 0

    @classmethod
    def of(cls, record: Record, *, min_billable_bytes: int) -> Self:
        """Of one photo."""
        original, context = record.original, record.context
        is_retained = int(original.retained_key is not None)
        billable_original = max(original.bytes, min_billable_bytes)
        billable_stored = max(record.stored.bytes, min_billable_bytes)
        if context is not None:
            billable_stored += max(context.bytes, min_billable_bytes)
        return cls(
            photos=1,
            cropped=int(record.status is Status.CROPPED),
            original_bytes=original.bytes,
            stored_bytes=record.kept_bytes,
            retained_bytes=is_retained * original.bytes,
            billable_original_bytes=billable_original,
            billable_stored_bytes=billable_stored,
            billable_retained_bytes=is_retained * billable_original,
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.photos + other.photos,
            self.cropped + other.cropped,
            self.original_bytes + other.original_bytes,
            self.stored_bytes + other.stored_bytes,
            self.retained_bytes + other.retained_bytes,
            self.billable_original_bytes + other.billable_original_bytes,
            self.billable_stored_bytes + other.billable_stored_bytes,
            self.billable_retained_bytes + other.billable_retained_bytes,
        )

    @property
    def kept_original(self) -> int:
        return self.photos - self.cropped

    @property
    def saved_bytes(self) -> int:
        return self.original_bytes - self.stored_bytes

    @property
    def freed_bytes(self) -> int:
        return self.saved_bytes - self.retained_bytes

    @property
    def billable_saved_bytes(self) -> int:
        """`freed_bytes` as the store bills them."""
        stored = self.billable_stored_bytes + self.billable_retained_bytes
        return self.billable_original_bytes - stored

    @property
    def saved_fraction(self) -> float:
        return self.saved_bytes / self.original_bytes if self.original_bytes else 0.0

    @property
    def mean_saved_bytes(self) -> int:
        return round(self.saved_bytes / self.photos) if self.photos else 0

    def money_per_month(self, *, price_per_gb_month: float) -> float:
        return self.billable_saved_bytes / BYTES_PER_GB * price_per_gb_month


@dataclass(frozen=True, slots=True)
class SavingsGroup:
    """`key` is an ISO date (of weeks the Monday, of months the first), a name, or None: no name.

    Photos without a reason are the cropped ones.
    """

    key: str | None
    totals: SavingsTotals


@dataclass(frozen=True, slots=True)
class SavingsReport:
    """`groups` hold every photo of `totals` once; those without a photo are left out.

    Days, weeks and months in their order; other groups by what they saved, the most first.
    """

    period: Period
    group_by: GroupBy | None
    totals: SavingsTotals
    groups: tuple[SavingsGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How the kept sums compared with the records, before they were made anew."""

    photos: int
    sums: int
    """Sums that are kept now."""
    wrong: int
    """Sums that were not what the records say, those that were missing too."""

    @property
    def agreed(self) -> bool:
        return self.wrong == 0


def report_of(
    period: Period, group_by: GroupBy | None, groups: dict[str | None, SavingsTotals]
) -> SavingsReport:
    """Sorted and summed up; of no `group_by` there is one group at most, which is not shown."""
    found = [SavingsGroup(key, totals) for key, totals in groups.items() if totals.photos]
    totals = sum((group.totals for group in found), start=SavingsTotals())
    if group_by is None:
        return SavingsReport(period, None, totals)
    if group_by.is_of_time:
        found.sort(key=lambda group: group.key or "")
    else:
        found.sort(key=lambda group: (-group.totals.saved_bytes, group.key or ""))
    return SavingsReport(period, group_by, totals, tuple(found))
