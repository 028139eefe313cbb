"""The axis of savings over time."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from service.api.savings_schemas import SavingsAnswer, Tariff
from service.core.savings import GroupBy, Period, SavingsTotals, report_of
from service.dashboard.timeline import MAX_STEPS, fitting, step_label, timeline

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)
ONE = SavingsTotals(photos=1, cropped=1, original_bytes=100, stored_bytes=10)


def firsts(group_by: GroupBy, *days: str, period: Period | None = None) -> list[str]:
    """The steps of photos on these days, as the ledger would group them."""
    groups: dict[str | None, SavingsTotals] = dict.fromkeys(days, ONE)
    report = report_of(period or Period(), group_by, groups)
    answer = SavingsAnswer.of(report, Tariff(0.023, "EUR", 0))
    return [step.first.isoformat() for step in timeline(answer, now=NOW)]


def since(year: int, month: int, day: int, *, to: datetime | None = None) -> Period:
    return Period(datetime(year, month, day, tzinfo=UTC), to)


@pytest.mark.parametrize(
    ("days", "group_by"),
    [(1, "day"), (62, "day"), (63, "week"), (200, "week"), (201, "month"), (3_000, "month")],
)
def test_steps_fit_the_period(days: int, group_by: str) -> None:
    first = date(2026, 1, 1)

    assert fitting(first, date.fromordinal(first.toordinal() + days - 1)) == group_by


def test_days_without_photos_are_steps_too() -> None:
    steps = firsts(GroupBy.DAY, "2026-03-17", "2026-03-19")

    assert steps == ["2026-03-17", "2026-03-18", "2026-03-19", "2026-03-20"]


def test_weeks_begin_on_mondays_and_months_on_their_first() -> None:
    in_weeks = firsts(GroupBy.WEEK, "2026-03-09", period=since(2026, 3, 4))
    in_months = firsts(GroupBy.MONTH, "2026-01-01", period=since(2025, 11, 30))

    assert in_weeks == ["2026-03-02", "2026-03-09", "2026-03-16"]
    assert in_months == ["2025-11-01", "2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"]


def test_period_that_was_asked_for_is_shown_whole() -> None:
    period = since(2026, 3, 1, to=datetime(2026, 3, 5, tzinfo=UTC))

    steps = firsts(GroupBy.DAY, "2026-03-02", period=period)

    assert steps == ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"]


def test_nothing_is_shown_of_days_to_come() -> None:
    period = since(2026, 3, 19, to=datetime(2027, 1, 1, tzinfo=UTC))

    assert firsts(GroupBy.DAY, "2026-03-19", period=period) == ["2026-03-19", "2026-03-20"]


def test_period_much_longer_than_its_photos_begins_and_ends_with_them() -> None:
    steps = firsts(GroupBy.DAY, "2026-03-01", "2026-03-03", period=since(1970, 1, 1))

    assert steps == ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_axis_never_grows_beyond_what_can_be_drawn() -> None:
    lonely = firsts(GroupBy.DAY, "0001-01-01", "2026-03-01")
    long = firsts(GroupBy.MONTH, "1970-01-01", "2026-03-01")

    assert lonely == ["0001-01-01", "2026-03-01"]
    assert len(long) == 56 * 12 + 3 < MAX_STEPS


def test_no_photo_is_no_step() -> None:
    assert firsts(GroupBy.DAY) == []


def test_step_is_called_by_its_first_day() -> None:
    assert step_label(date(2026, 3, 9), GroupBy.WEEK) == "9 Mar 2026"
    assert step_label(date(2026, 3, 1), GroupBy.MONTH) == "Mar 2026"
