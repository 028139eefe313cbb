from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import RequestRejected
from service.core.savings import GroupBy, Period, SavingsTotals, asked_period, report_of

amounts = st.integers(0, 10**15)


def test_nothing_stored_saves_nothing() -> None:
    totals = SavingsTotals()
    assert (totals.saved_bytes, totals.saved_fraction, totals.mean_saved_bytes) == (0, 0.0, 0)
    assert totals.money_per_month(price_per_gb_month=0.023) == 0.0


def test_saved_is_original_less_stored() -> None:
    totals = SavingsTotals(photos=4, original_bytes=1_000, stored_bytes=250)
    assert totals.saved_bytes == 750
    assert totals.saved_fraction == 0.75
    assert totals.mean_saved_bytes == 188


def test_original_still_kept_beside_its_crop_is_saved_but_not_freed() -> None:
    totals = SavingsTotals(photos=1, original_bytes=1_000, stored_bytes=250, retained_bytes=1_000)
    assert totals.saved_bytes == 750
    assert totals.freed_bytes == -250


def test_money_is_counted_on_billable_bytes_in_decimal_gigabytes() -> None:
    totals = SavingsTotals(
        billable_original_bytes=3_000_000_000,
        billable_stored_bytes=600_000_000,
        billable_retained_bytes=400_000_000,
    )
    assert totals.money_per_month(price_per_gb_month=0.023) == 0.046


@given(amounts, amounts, amounts)
def test_freed_is_never_more_than_saved(original: int, stored: int, retained: int) -> None:
    totals = SavingsTotals(original_bytes=original, stored_bytes=stored, retained_bytes=retained)
    assert totals.freed_bytes <= totals.saved_bytes


def group(saved_bytes: int) -> SavingsTotals:
    return SavingsTotals(photos=1, original_bytes=saved_bytes)


def test_days_come_in_their_order_and_names_by_what_they_saved() -> None:
    groups: dict[str | None, SavingsTotals] = {"b": group(1), None: group(3), "a": group(1)}
    by_site = report_of(Period(), GroupBy.SITE, groups)
    assert [each.key for each in by_site.groups] == [None, "a", "b"]
    by_day = report_of(Period(), GroupBy.DAY, {"b": group(9), "a": group(1)})
    assert [each.key for each in by_day.groups] == ["a", "b"]


def test_group_whose_photos_are_all_gone_is_none() -> None:
    report = report_of(Period(), GroupBy.SITE, {"gone": SavingsTotals(), "there": group(2)})
    assert [each.key for each in report.groups] == ["there"]
    assert report.totals == group(2)


def test_report_without_groups_has_its_totals_alone() -> None:
    report = report_of(Period(), None, {None: group(2)})
    assert (report.totals, report.groups) == (group(2), ())


def test_default_period_begins_at_a_midnight() -> None:
    now = datetime(2026, 3, 31, 15, tzinfo=UTC)
    month = Period(datetime(2026, 3, 1, tzinfo=UTC))
    assert asked_period(None, None, default_days=30, now=now) == month
    assert asked_period(None, None, default_days=0, now=now) == Period()
    to = datetime(2026, 3, 3, 7, tzinfo=timezone(timedelta(hours=9)))
    assert asked_period(None, to, default_days=1, now=now) == Period(
        datetime(2026, 3, 1, tzinfo=UTC), to
    )
    assert asked_period(to, None, default_days=1, now=now) == Period(to)
    first = datetime(1, 1, 2, tzinfo=UTC)
    assert asked_period(None, first, default_days=30, now=now) == Period(None, first)


def test_period_without_a_zone_is_refused() -> None:
    with pytest.raises(RequestRejected, match="from"):
        Period(datetime(2026, 3, 1))  # noqa: DTZ001
