"""Savings over time, without holes: a week without photos is a week on the axis too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from service.api.savings_schemas import GroupAnswer, SavingsAnswer, TotalsAnswer
from service.core.figures import share, size
from service.core.savings import GroupBy, SavingsTotals
from service.dashboard.charts import Chart, Kind, Series, Unit
from service.dashboard.selection import last_day_before

MAX_STEPS = 1_500
"""Four years of days; a longer axis begins and ends with the photos that there are."""
MOST_DAYS, MOST_WEEKS = 62, 200
"""Days that are shown one by one, and those that are shown as weeks."""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar; `first` is its first day in UTC."""

    first: date
    label: str
    totals: TotalsAnswer


def fitting(first: date, last: date) -> GroupBy:
    """So that a chart has neither three bars nor three hundred."""
    days = (last - first).days + 1
    if days <= MOST_DAYS:
        return GroupBy.DAY
    return GroupBy.WEEK if days <= MOST_WEEKS else GroupBy.MONTH


def timeline(answer: SavingsAnswer, *, now: datetime) -> tuple[Step, ...]:
    """Of savings by day, week or month; empty where there is no photo."""
    group_by = answer.group_by
    if group_by is None or not answer.groups:
        return ()
    found: dict[date, TotalsAnswer] = {first_day(group): group for group in answer.groups}
    nothing = TotalsAnswer.of(SavingsTotals(), price_per_gb_month=answer.price_per_gb_month)
    days = _axis(tuple(found), answer, group_by, now=now)
    return tuple(Step(day, step_label(day, group_by), found.get(day, nothing)) for day in days)


def savings_chart(steps: Sequence[Step]) -> Chart:
    """What came in, and before it what is stored of it."""
    totals = [step.totals for step in steps]
    original = [each.original_bytes for each in totals]
    stored = [each.stored_bytes for each in totals]
    return Chart(
        Kind.BAR,
        Unit.BYTES,
        [step.label for step in steps],
        [
            Series("Original", "--original", original, [size(each) for each in original]),
            Series("Stored", "--stored", stored, [size(each) for each in stored]),
        ],
        [
            f"{share(each.saved_fraction)} saved, {each.photos:,} photo{'s' * (each.photos != 1)}"
            for each in totals
        ],
    )


def step_label(first: date, group_by: GroupBy) -> str:
    """`1 Mar 2026`, or `Mar 2026`; a week is called by its Monday."""
    if group_by is GroupBy.MONTH:
        return f"{first:%b %Y}"
    return f"{first.day} {first:%b %Y}"


def first_day(group: GroupAnswer) -> date:
    """Of a day, a week or a month."""
    return date.fromisoformat(group.key or "")


def last_day(to: datetime | None, *, now: datetime) -> date:
    """The last one of which there can be photos."""
    if to is None or to > now:
        return now.astimezone(UTC).date()
    return last_day_before(to)


def _axis(
    found: Sequence[date], answer: SavingsAnswer, group_by: GroupBy, *, now: datetime
) -> list[date]:
    first = found[0] if answer.from_ is None else answer.from_.date()
    last = max(found[-1], last_day(answer.to, now=now))
    for beginning, end in ((first, last), (found[0], found[-1])):
        if (end - beginning).days <= MAX_STEPS * _DAYS[group_by]:
            return list(_steps(beginning, end, group_by))
    return list(found)


def _steps(first: date, last: date, group_by: GroupBy) -> Iterator[date]:
    step = _start(first, group_by)
    while step <= last:
        yield step
        step = _next(step, group_by)


def _start(day: date, group_by: GroupBy) -> date:
    match group_by:
        case GroupBy.WEEK:
            return day - timedelta(days=min(day.weekday(), day.toordinal() - 1))
        case GroupBy.MONTH:
            return day.replace(day=1)
    return day


def _next(step: date, group_by: GroupBy) -> date:
    match group_by:
        case GroupBy.WEEK:
            return step + timedelta(days=7)
        case GroupBy.MONTH:
            return (step + timedelta(days=31)).replace(day=1)
    return step + timedelta(days=1)


_DAYS = {GroupBy.DAY: 1, GroupBy.WEEK: 7, GroupBy.MONTH: 28}
