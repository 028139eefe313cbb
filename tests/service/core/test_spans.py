"""A period cut along the calendar is the period, no more and no less."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from service.core.savings import Period
from service.core.spans import DaySpan, end_of_day, shifted, spans_of, week_of

ZONES = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))
CLOSE = st.datetimes(datetime(2025, 11, 1), datetime(2026, 4, 1), timezones=ZONES)  # noqa: DTZ001
FAR = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001
LAST_DAY = st.times().map(lambda time: datetime.combine(date.max, time, UTC))
FIRSTS = st.dates(date(2025, 11, 1), date(2026, 4, 1)).map(
    lambda day: datetime(day.year, day.month, 1, tzinfo=UTC)
)
ENDS = st.none() | CLOSE | CLOSE.map(lambda at: at.replace(hour=0, minute=0, second=0)) | FIRSTS


def times_covered(moment: datetime, period: Period, *, by_month: bool) -> int:
    spans, day = spans_of(period, by_month=by_month), moment.date()
    whole = sum(is_on(day, each) for each in (*spans.months, *spans.days))
    whole -= sum(is_on(day, each) for each in spans.missing)
    return whole + sum(is_in(moment, each) for each in spans.moments)


def is_on(day: date, span: DaySpan) -> bool:
    return (span.first or date.min) <= day and (span.end is None or day < span.end)


def is_in(moment: datetime, period: Period) -> bool:
    after = period.from_ is None or period.from_ <= moment
    return after and (period.to is None or moment < period.to)


@given(from_=ENDS | FAR | LAST_DAY, to=ENDS | FAR | LAST_DAY, data=st.data())
def test_each_moment_of_a_period_is_covered_once_and_no_other(
    from_: datetime | None, to: datetime | None, data: st.DataObject
) -> None:
    period, by_month = Period(from_, to), data.draw(st.booleans())
    ends = [each for each in (period.from_, period.to) if each is not None]
    near = st.sampled_from(ends or [datetime(2026, 1, 1, tzinfo=UTC)])
    at = data.draw(near) + timedelta(microseconds=data.draw(st.sampled_from([-1, 0])))
    moment = data.draw(st.sampled_from([at, data.draw(CLOSE).astimezone(UTC)]))

    assert times_covered(moment, period, by_month=by_month) == int(is_in(moment, period))


@given(from_=ENDS, to=ENDS)
def test_months_are_whole_and_what_is_left_of_them_is_short(
    from_: datetime | None, to: datetime | None
) -> None:
    spans = spans_of(Period(from_, to), by_month=True)

    for months in spans.months:
        assert months.first is None or months.first.day == 1
        assert months.end is None or months.end.day == 1
    for days in (*spans.days, *spans.missing):
        assert days.first is not None
        assert days.end is not None
        assert days.end - days.first < timedelta(days=62)
    for moments in spans.moments:
        assert moments.from_ is not None
        assert moments.to is not None
        assert moments.to - moments.from_ < timedelta(days=1)


def test_years_cost_no_more_than_their_months() -> None:
    period = Period(datetime(2023, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))

    spans = spans_of(period, by_month=True)

    assert spans.months == (DaySpan(date(2023, 3, 1), date(2026, 3, 1)),)
    assert (spans.days, spans.moments) == ((), ())


def test_week_is_named_by_its_monday() -> None:
    assert week_of(date(2026, 1, 1)) == date(2025, 12, 29)
    assert week_of(date(2026, 1, 5)) == date(2026, 1, 5)
    assert week_of(date.min) == date.min


def test_end_of_a_day_is_the_next_one_begun() -> None:
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    assert end_of_day(midnight) == date(2026, 3, 1)
    assert end_of_day(midnight + timedelta(microseconds=1)) == date(2026, 3, 2)
    assert end_of_day(datetime(9999, 12, 31, 12, tzinfo=UTC)) == date.max


def test_calendar_ends_nowhere_else_than_it_ends() -> None:
    assert shifted(date.max, timedelta(days=1)) == date.max
    assert shifted(date.min, timedelta(days=-9)) == date.min


def test_of_months_that_are_nearly_whole_the_missing_days_are_taken_off() -> None:
    period = Period(datetime(2023, 3, 3, tzinfo=UTC), datetime(2026, 2, 27, tzinfo=UTC))

    spans = spans_of(period, by_month=True)

    assert spans.months == (DaySpan(date(2023, 3, 1), date(2026, 3, 1)),)
    assert spans.days == ()
    assert spans.missing == (
        DaySpan(date(2023, 3, 1), date(2023, 3, 3)),
        DaySpan(date(2026, 2, 27), date(2026, 3, 1)),
    )
