"""A period cut along the calendar: whole months, whole days, and what is left at its ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from service.core.savings import Period

DAY = timedelta(days=1)
MIDNIGHT = time(tzinfo=UTC)
MIDDLE = 15
"""Of a month, as its day."""


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Half open; None is without an end on that side."""

    first: date | None
    end: date | None

    @property
    def is_empty(self) -> bool:
        return self.first is not None and self.end is not None and self.first >= self.end


@dataclass(frozen=True, slots=True)
class Spans:
    """Together they are the period, and no moment is in two of them. All in UTC.

    Only `missing` days are taken off: of a month that nearly all is of, they are fewer.
    """

    months: tuple[DaySpan, ...]
    days: tuple[DaySpan, ...]
    moments: tuple[Period, ...]
    missing: tuple[DaySpan, ...] = ()


def spans_of(period: Period, *, by_month: bool) -> Spans:
    """Without `by_month` all is days but the ends."""
    if period.from_ is not None and period.from_.date() == date.max:
        return Spans((), (), _not_empty(period))  # nothing can come after that day
    first, ends = _first_midnight(period.from_), _last_midnight(period.to)
    if first is not None and ends is not None and first > ends:
        return Spans((), (), _not_empty(period))
    moments = (
        *(() if first is None else _not_empty(Period(period.from_, first))),
        *(() if ends is None else _not_empty(Period(ends, period.to))),
    )
    days = DaySpan(first and first.date(), ends and ends.date())
    if not by_month:
        return Spans((), _not_empty_days(days), moments)
    months, days_left, missing = _by_month(days)
    return Spans(months, _not_empty_days(*days_left), moments, _not_empty_days(*missing))


def month_of(day: date) -> date:
    return day.replace(day=1)


def week_of(day: date) -> date:
    """Its Monday."""
    return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))


def shifted(day: date, by: timedelta) -> date:
    """As far as the calendar goes."""
    ordinal = day.toordinal() + by.days
    return date.fromordinal(min(max(ordinal, date.min.toordinal()), date.max.toordinal()))


def end_of_day(moment: datetime) -> date:
    """The first day of which nothing lies before the moment."""
    day = moment.astimezone(UTC).date()
    return day if moment.astimezone(UTC).timetz() == MIDNIGHT else shifted(day, DAY)


def _first_midnight(moment: datetime | None) -> datetime | None:
    """Not before the moment."""
    return None if moment is None else _midnight(end_of_day(moment))


def _last_midnight(moment: datetime | None) -> datetime | None:
    return None if moment is None else _midnight(moment.date())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, MIDNIGHT)


def _by_month(days: DaySpan) -> tuple[tuple[DaySpan, ...], ...]:
    """Months, the days beside them, and those of them that are too many."""
    first = None if days.first is None else _first_of_month(days.first)
    if first is not None and days.first is not None and first < days.first:
        return (), (days,), ()  # the calendar's last month
    end = None if days.end is None else month_of(days.end)
    if DaySpan(first, end).is_empty:
        return (), (days,), ()
    beside: list[DaySpan] = []
    missing: list[DaySpan] = []
    if days.first is not None and days.first.day <= MIDDLE:
        first = month_of(days.first)
        missing.append(DaySpan(first, days.first))
    elif days.first is not None:
        beside.append(DaySpan(days.first, first))
    if days.end is not None and days.end.day > MIDDLE and days.end < _first_of_month(days.end):
        end = _first_of_month(days.end)
        missing.append(DaySpan(days.end, end))
    elif days.end is not None:
        beside.append(DaySpan(end, days.end))
    return (DaySpan(first, end),), tuple(beside), tuple(missing)


def _first_of_month(day: date) -> date:
    """Not before the day, as far as the calendar goes."""
    if day.day == 1:
        return day
    return month_of(shifted(month_of(day), timedelta(days=31)))


def _not_empty_days(*days: DaySpan) -> tuple[DaySpan, ...]:
    """Without those that have no end where the period has none either."""
    return tuple(each for each in days if not each.is_empty)


def _not_empty(period: Period) -> tuple[Period, ...]:
    if period.from_ is not None and period.to is not None and period.from_ >= period.to:
        return ()
    return (period,)
