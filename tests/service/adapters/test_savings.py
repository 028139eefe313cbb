"""The savings report, held by the fake and by both databases: exact, whatever became of photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.crop import Reason
from service.core.drift import ModelDay
from service.core.record import (
    Capture,
    ContextPicture,
    ModelUsed,
    PhotoFilter,
    Record,
    Retention,
    Source,
)
from service.core.savings import GroupBy, Period, SavingsReport, SavingsTotals
from service.ports import Ledger
from tests.records import NOON, cropped_record, kept_record

CONTEXT = ContextPicture("cd" * 32, 9_000, "image/webp", 320, 180, "context/cd.webp")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def groups_of(ledger: Ledger, group_by: GroupBy, **period: datetime) -> dict[str | None, int]:
    """How many photos each group has, in the report's order."""
    report = ledger.savings(Period(**period), group_by=group_by, min_billable_bytes=0)
    return {group.key: group.totals.photos for group in report.groups}


def photos_in(ledger: Ledger, from_: datetime | None, to: datetime | None) -> int:
    return ledger.savings(Period(from_, to), min_billable_bytes=0).totals.photos


def test_nothing_has_saved_nothing(ledger: Ledger) -> None:
    for group_by in (None, *GroupBy):
        report = ledger.savings(Period(), group_by=group_by, min_billable_bytes=128_000)
        assert report == SavingsReport(Period(), group_by, SavingsTotals())


def test_sums_are_those_of_the_records(ledger: Ledger) -> None:
    records = [
        cropped_record("large", original_bytes=3_000_000, stored_bytes=200_000),
        replace(cropped_record("with its whole"), context=CONTEXT),
        cropped_record("in grace", retained_key="originals/g.jpg"),
        kept_record("kept", original_bytes=40_000),
    ]
    for record in records:
        ledger.record(record)

    report = ledger.savings(Period(), min_billable_bytes=0)

    assert report.totals == ledger.totals(PhotoFilter(), min_billable_bytes=0)
    assert report.totals.photos == 4
    assert report.totals.stored_bytes == sum(record.kept_bytes for record in records)


@pytest.mark.parametrize("retention", Retention)
def test_whatever_still_lies_somewhere_is_not_freed(ledger: Ledger, retention: Retention) -> None:
    record = cropped_record("still there", retained_key="originals/r.jpg")
    ledger.record(replace(record, original=replace(record.original, retention=retention)))

    totals = ledger.savings(Period(), min_billable_bytes=0).totals

    assert totals.saved_bytes == record.saved_bytes
    assert totals.freed_bytes == totals.billable_saved_bytes == -record.stored.bytes


def test_each_object_is_billed_with_the_minimum_at_least(ledger: Ledger) -> None:
    small = cropped_record("small", original_bytes=300_000, stored_bytes=20_000)
    ledger.record(replace(small, context=CONTEXT))
    ledger.rebuild_savings(min_billable_bytes=128_000)

    totals = ledger.savings(Period(), min_billable_bytes=128_000).totals

    assert totals.freed_bytes == 300_000 - 20_000 - 9_000
    assert totals.billable_saved_bytes == 300_000 - 128_000 - 128_000


def test_money_is_right_with_another_minimum_than_the_sums_were_made_with(ledger: Ledger) -> None:
    for n, size in enumerate((5_000, 50_000, 500_000)):
        record = cropped_record(f"{n}", original_bytes=size, stored_bytes=size // 10)
        ledger.record(record)
    ledger.rebuild_savings(min_billable_bytes=40_000)

    for minimum in (0, 40_000, 128_000):
        for group_by in (None, *GroupBy):
            report = ledger.savings(Period(), group_by=group_by, min_billable_bytes=minimum)
            assert report.totals == ledger.totals(PhotoFilter(), min_billable_bytes=minimum)


def test_photos_are_grouped_by_what_they_are(ledger: Ledger) -> None:
    other = ModelUsed("other", "cd" * 32, "CUDAExecutionProvider")
    ledger.record(cropped_record("a", capture=Capture(site="north", meter_type="gas")))
    ledger.record(cropped_record("b", capture=Capture(site="north", meter_type="water")))
    ledger.record(kept_record("c", capture=Capture(site="south", meter_type="water")))
    ledger.record(replace(kept_record("d", reason=Reason.NO_GAIN), model=other))

    assert groups_of(ledger, GroupBy.SITE) == {"north": 2, None: 1, "south": 1}
    assert groups_of(ledger, GroupBy.METER_TYPE) == {"gas": 1, "water": 2, None: 1}
    assert groups_of(ledger, GroupBy.MODEL) == {"attention-unet": 3, "other": 1}
    assert groups_of(ledger, GroupBy.REASON) == {None: 2, "no_gain": 1, "no_region": 1}
    assert groups_of(ledger, GroupBy.SOURCE) == {"upload": 2, "batch": 2}


def test_most_saved_comes_first(ledger: Ledger) -> None:
    for site, size in (("b", 2_000), ("a", 2_000), ("c", 9_000), ("d", 500)):
        capture = Capture(site=site)
        ledger.record(cropped_record(site, capture=capture, original_bytes=size, stored_bytes=100))

    assert list(groups_of(ledger, GroupBy.SITE)) == ["c", "a", "b", "d"]


def test_site_without_a_name_is_not_the_site_without_one(ledger: Ledger) -> None:
    for site in (None, "", "=", "None", "Åbo"):
        ledger.record(cropped_record(f"{site!r}", capture=Capture(site=site)))

    assert set(groups_of(ledger, GroupBy.SITE)) == {None, "", "=", "None", "Åbo"}


def test_days_weeks_and_months_are_those_of_utc(ledger: Ledger) -> None:
    east, west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-11))
    for n, moment in enumerate(
        (
            datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            datetime(2026, 1, 1, 13, 59, tzinfo=east),  # 23:59 of the year before
            datetime(2025, 12, 31, 13, tzinfo=west),  # midnight
            datetime(2026, 1, 5, tzinfo=UTC),  # a Monday
        )
    ):
        ledger.record(cropped_record(f"{n}", received_at=moment))

    days = {"2025-12-31": 2, "2026-01-01": 1, "2026-01-05": 1}
    assert groups_of(ledger, GroupBy.DAY) == days
    assert list(groups_of(ledger, GroupBy.DAY)) == sorted(days)
    assert groups_of(ledger, GroupBy.WEEK) == {"2025-12-29": 3, "2026-01-05": 1}
    assert groups_of(ledger, GroupBy.MONTH) == {"2025-12-01": 2, "2026-01-01": 2}


def test_period_is_half_open_and_of_any_zone(ledger: Ledger) -> None:
    moments = [NEW_YEAR + timedelta(hours=hours) for hours in (-1, 0, 1, 23, 24, 25)]
    for moment in moments:
        ledger.record(cropped_record(f"{moment}", received_at=moment))
    paris = timezone(timedelta(hours=1))

    assert photos_in(ledger, None, None) == 6
    assert photos_in(ledger, NEW_YEAR, NEW_YEAR + timedelta(days=1)) == 3
    assert photos_in(ledger, datetime(2026, 1, 1, tzinfo=paris), None) == 6
    assert photos_in(ledger, datetime(2026, 1, 1, tzinfo=paris), moments[3]) == 3
    assert photos_in(ledger, moments[2], moments[2]) == 0
    assert photos_in(ledger, moments[3], moments[2]) == 0
    assert photos_in(ledger, datetime(9999, 12, 31, 23, tzinfo=UTC), None) == 0
    assert photos_in(ledger, None, datetime(1, 1, 1, tzinfo=UTC)) == 0


ANY_MOMENT = st.datetimes(datetime(2025, 11, 20), datetime(2026, 2, 10)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
MIDNIGHTS = ANY_MOMENT.map(lambda moment: datetime.combine(moment, datetime.min.time(), UTC))
ENDS = st.none() | ANY_MOMENT | MIDNIGHTS | MIDNIGHTS.map(lambda midnight: midnight.replace(day=1))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(from_=ENDS, to=ENDS)
def test_any_period_is_cut_without_gap_or_double(
    ledger: Ledger, from_: datetime | None, to: datetime | None
) -> None:
    if photos_in(ledger, None, None) == 0:
        for n in range(160):
            at = NEW_YEAR + timedelta(hours=11 * (n - 80), microseconds=n)
            ledger.record(cropped_record(f"{n}", received_at=at))

    expected = ledger.totals(PhotoFilter(from_=from_, to=to), min_billable_bytes=0)

    for group_by in (None, GroupBy.DAY, GroupBy.WEEK, GroupBy.MONTH, GroupBy.SITE):
        report = ledger.savings(Period(from_, to), group_by=group_by, min_billable_bytes=0)
        assert report.totals == expected, group_by
        assert sum(group.totals.photos for group in report.groups) in {0, expected.photos}


def any_record(chance: Random) -> Record:
    of_kind: Callable[..., Record] = chance.choice((cropped_record, kept_record))
    record = of_kind(
        f"{chance.random()}",
        received_at=NEW_YEAR + timedelta(minutes=chance.randint(-80_000, 80_000)),
        capture=Capture(
            site=chance.choice((None, "north", "south")), meter_type=chance.choice((None, "gas"))
        ),
        original_bytes=chance.randint(100_000, 9_000_000),
    )
    return replace(
        record,
        confidence=chance.random(),
        context=chance.choice((None, CONTEXT)) if record.crop else None,
        source=chance.choice(tuple(Source)),
    )


def changed(record: Record, chance: Random) -> Record:
    """As restores, purges and jobs that take a photo up again change it."""
    why = chance.choice((None, *Retention))
    key = f"originals/{record.id}" if why else None
    original = replace(record.original, retained_key=key, retention=why)
    again = any_record(chance)
    restored = replace(kept_record("restored", reason=Reason.RESTORED), capture=record.capture)
    become = chance.choice((record, again, restored))
    return replace(become, id=record.id, original=original)


def step(ledger: Ledger, chance: Random) -> None:
    there = ledger.page(PhotoFilter(), limit=500).items
    record = chance.choice(there) if there else None
    match chance.choice(("new", "new", "new", "again", "change", "change", "stale", "delete")):
        case "again" if record is not None:
            assert not ledger.record(replace(record, id=uuid4())).created
        case "change" if record is not None:
            assert ledger.change(record, changed(record, chance))
        case "stale" if record is not None:
            stale = replace(record, confidence=record.confidence / 2 + 0.5)
            assert not ledger.change(stale, changed(record, chance))
        case "delete" if record is not None:
            ledger.delete(record.id, at=NOON)
        case _:
            ledger.record(any_record(chance))


@pytest.mark.parametrize("seed", range(3))
def test_sums_agree_with_the_records_after_anything(ledger: Ledger, seed: int) -> None:
    chance = Random(seed)
    for rebuilt_with in (0, 99, 99):
        for _ in range(25):
            step(ledger, chance)

        expected = ledger.totals(PhotoFilter(), min_billable_bytes=99)
        for group_by in (None, *GroupBy):
            report = ledger.savings(Period(), group_by=group_by, min_billable_bytes=99)
            assert report.totals == expected, group_by
        for group in ledger.savings(Period(), group_by=GroupBy.SITE, min_billable_bytes=99).groups:
            if group.key is not None:
                of_site = ledger.totals(PhotoFilter(site=group.key), min_billable_bytes=99)
                assert group.totals == of_site
        assert ledger.rebuild_savings(min_billable_bytes=rebuilt_with).agreed


def test_rebuilding_what_is_right_changes_nothing(ledger: Ledger) -> None:
    for n in range(3):
        ledger.record(cropped_record(f"{n}"))

    first, second = (ledger.rebuild_savings(min_billable_bytes=0) for _ in range(2))

    assert first == second
    assert first.photos == 3
    assert first.agreed


def test_days_of_models_are_kept(ledger: Ledger) -> None:
    record = cropped_record("a")
    ledger.record(replace(record, confidence=0.5))
    ledger.record(kept_record("b"))
    ledger.record(kept_record("restored", reason=Reason.RESTORED))
    ledger.record(replace(cropped_record("c"), model=ModelUsed("other", "cd" * 32, "CPU")))
    ledger.record(cropped_record("d", received_at=NOON + timedelta(days=1)))
    region = 601 * 293 * 1_000_000 // (4000 * 2250)
    first, ours, other = date(2026, 3, 1), "attention-unet abababababab", "other cdcdcdcdcdcd"

    days = ledger.model_days(first, first + timedelta(days=1))

    assert days == (
        ModelDay(first, ours, 3, 1, 1, 500_000, region),
        ModelDay(first, other, 1, 1, 0, 982_000, region),
    )
    assert [each.model for each in ledger.model_days(first, date(2026, 4, 1))] == [
        ours,
        other,
        ours,
    ]
    assert ledger.model_days(date(2026, 4, 1), date.max) == ()
