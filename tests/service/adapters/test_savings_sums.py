"""The sums behind the savings report: nothing is lost or counted twice, whoever comes at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from sqlite3 import Cursor

import pytest
from alembic import command
from sqlalchemy import Engine, delete, event, func, insert, select, text, update

from service.adapters.sql.engine import for_writing
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.mapping import photo_columns
from service.adapters.sql.migrate import migrate, migration_config
from service.adapters.sql.rollup import FOLD_AT, MANY_WAITING, TURN_KEY, Rollup
from service.adapters.sql.savings_tables import SavingsChangeRow, SavingsSumRow
from service.adapters.sql.tables import PhotoRow
from service.core.crop import Reason
from service.core.record import Capture, PhotoFilter, Record
from service.core.savings import GroupBy, Period, SavingsTotals
from tests.jobs import archive_of, batch_record, cropped, job_over
from tests.racing import THREADS, at_once
from tests.records import NOON, context_picture, cropped_record, kept_record
from tests.servers.postgres import opened


@pytest.fixture
def ledger(engine: Engine) -> SqlLedger:
    """An empty one in each database in turn."""
    return SqlLedger(engine)


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[Engine]:
    with opened(postgresql_url) as engine:
        yield engine


def waiting(engine: Engine) -> int:
    with engine.begin() as connection:
        return connection.scalars(select(func.count()).select_from(SavingsChangeRow)).one()


def totals(ledger: SqlLedger) -> SavingsTotals:
    return ledger.savings(Period(), min_billable_bytes=0).totals


def assert_right(ledger: SqlLedger) -> None:
    assert totals(ledger) == ledger.totals(PhotoFilter(), min_billable_bytes=0)
    assert ledger.rebuild_savings(min_billable_bytes=0).agreed


def various(count: int) -> list[Record]:
    """Over some months, sites and outcomes."""
    chance = Random(count)
    records = []
    for n in range(count):
        of_kind = chance.choice((cropped_record, kept_record))
        at = NOON + timedelta(hours=chance.randint(-2_000, 2_000))
        capture = Capture(site=chance.choice((None, "", "north", "south")), meter_type="gas")
        records.append(of_kind(f"{n}", received_at=at, capture=capture))
    return records


def test_reports_are_the_same_before_and_after_changes_are_folded(
    ledger: SqlLedger, engine: Engine
) -> None:
    for record in various(20):
        ledger.record(record)
    reports = [
        ledger.savings(Period(), group_by=group_by, min_billable_bytes=0)
        for group_by in (None, *GroupBy)
    ]
    assert waiting(engine) == 20

    assert Rollup(engine).fold()

    assert waiting(engine) == 0
    for report in reports:
        again = ledger.savings(Period(), group_by=report.group_by, min_billable_bytes=0)
        assert again == report


def test_change_that_moves_no_sum_is_none(ledger: SqlLedger, engine: Engine) -> None:
    record = cropped_record("a", retained_key="originals/a.jpg")
    ledger.record(record)
    later = replace(record.original, retained_until=NOON + timedelta(days=90))

    assert ledger.change(record, replace(record, original=later))

    assert waiting(engine) == 1


def test_process_folds_after_so_many_of_its_changes(ledger: SqlLedger, engine: Engine) -> None:
    ledger._rollup.tend(FOLD_AT - 3)  # as if it had recorded so many
    first, second, third = various(3)
    ledger.record(first)
    ledger.record(second)
    assert waiting(engine) == 2

    ledger.record(third)

    assert waiting(engine) == 0
    assert_right(ledger)


def test_report_that_meets_many_changes_folds_them(ledger: SqlLedger, engine: Engine) -> None:
    records = various(MANY_WAITING)
    for record in records[:2]:
        ledger.record(record)
    with for_writing(engine).begin() as connection:
        there = connection.execute(select(SavingsChangeRow.__table__)).mappings().all()
        copies = [{k: v for k, v in there[n % 2].items() if k != "id"} for n in range(MANY_WAITING)]
        connection.execute(insert(SavingsChangeRow), copies)

    assert totals(ledger).photos == MANY_WAITING + 2

    assert waiting(engine) == 0
    assert totals(ledger).photos == MANY_WAITING + 2


def test_what_jobs_settle_is_counted(ledger: SqlLedger, engine: Engine) -> None:
    jobs = SqlJobLedger(engine)
    job, items = job_over(jobs, archive_of(4))
    first = batch_record("a")
    there = cropped_record("there already")
    ledger.record(there)
    jobs.settle(
        job.id,
        [
            cropped(items[0], first),
            cropped(items[1], batch_record("there already")),
            cropped(items[2], batch_record("b")),
        ],
    )
    assert_right(ledger)
    again = replace(
        batch_record("a", fingerprint="model 2"), id=first.id, context=context_picture("a")
    )
    jobs.settle(job.id, [cropped(items[3], again, supersedes=True)])

    assert ledger.by_id(first.id) == again
    assert_right(ledger)


def test_change_that_is_not_committed_yet_is_not_lost(postgresql: Engine) -> None:
    ledger, rollup = SqlLedger(postgresql), Rollup(postgresql)
    ledger.record(cropped_record("first"))
    late = cropped_record("late")
    with opened(str(postgresql.url.render_as_string(hide_password=False))) as other:
        slow = SqlLedger(other)
        with slow._adding() as connection:
            from service.adapters.sql.ledger import _first_of_its_bytes

            _first_of_its_bytes(connection, late)
            ledger.record(cropped_record("third"))
            assert rollup.fold()
            assert totals(ledger).photos == 2
    assert waiting(postgresql) == 1
    assert_right(ledger)


def test_who_meets_another_that_folds_goes_on(postgresql: Engine) -> None:
    ledger, rollup = SqlLedger(postgresql), Rollup(postgresql)
    ledger.record(cropped_record("a"))

    with postgresql.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(TURN_KEY)))
        assert not rollup.fold()

    assert waiting(postgresql) == 1
    assert rollup.fold()


def test_writers_folders_and_readers_at_once_lose_nothing(
    ledger: SqlLedger, engine: Engine
) -> None:
    rollup = Rollup(engine)

    def work(n: int) -> int:
        chance = Random(n)
        for record in various(12):
            mine = replace(cropped_record(f"{n} {record.id}"), capture=record.capture)
            ledger.record(record if n % 2 else mine)  # those of odd threads have the same bytes
            kept = replace(kept_record("r", reason=Reason.RESTORED), original=mine.original)
            match chance.randint(0, 5):
                case 0:
                    ledger.delete(mine.id, at=NOON)
                case 1:
                    ledger.change(mine, replace(kept, id=mine.id))
                case 2:
                    rollup.tend(FOLD_AT)
                case 3:
                    totals(ledger)
        return n

    assert sorted(at_once(work)) == list(range(THREADS))
    assert_right(ledger)


def test_photos_that_come_in_while_sums_are_rebuilt_are_counted(postgresql: Engine) -> None:
    ledger = SqlLedger(postgresql)
    for record in various(50):
        ledger.record(record)

    def work(n: int) -> bool:
        if n % 4 == 0:
            return all(ledger.rebuild_savings(min_billable_bytes=0).agreed for _ in range(3))
        for m in range(20):
            ledger.record(cropped_record(f"{n} {m}"))
        return True

    assert all(at_once(work, threads=8))
    assert totals(ledger).photos == 50 + 6 * 20
    assert_right(ledger)


def test_writer_does_not_wait_while_sums_are_rebuilt(postgresql: Engine) -> None:
    ledger = SqlLedger(postgresql)
    with postgresql.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(TURN_KEY)))
        ledger._rollup.tend(FOLD_AT - 1)  # the first of them sees to it that it is their turn
        for record in various(3):
            ledger.record(record)

        assert totals(ledger).photos == waiting(postgresql) == 3


def test_rebuilding_finds_and_mends_what_is_wrong(ledger: SqlLedger, engine: Engine) -> None:
    for record in various(12):
        ledger.record(record)
    before = ledger.rebuild_savings(min_billable_bytes=0)
    assert before.agreed
    of_all = SavingsSumRow.dimension == "all"
    with for_writing(engine).begin() as connection:
        connection.execute(
            update(SavingsSumRow).where(of_all, SavingsSumRow.grain == "month").values(photos=77)
        )
        connection.execute(delete(SavingsSumRow).where(SavingsSumRow.dimension == "model"))
    wrong = before.sums - sums_right(engine, before.sums)

    rebuilt = ledger.rebuild_savings(min_billable_bytes=0)

    assert not rebuilt.agreed
    assert rebuilt.wrong == wrong
    assert rebuilt.photos == 12
    assert_right(ledger)


def sums_right(engine: Engine, sums: int) -> int:
    with engine.begin() as connection:
        count = select(func.count()).select_from(SavingsSumRow)
        return connection.scalars(count.where(SavingsSumRow.photos != 77)).one()


def test_another_minimum_is_no_disagreement(ledger: SqlLedger) -> None:
    for record in various(12):
        ledger.record(record)

    assert ledger.rebuild_savings(min_billable_bytes=128_000).agreed

    report = ledger.savings(Period(), group_by=GroupBy.DAY, min_billable_bytes=128_000)
    assert report.totals == ledger.totals(PhotoFilter(), min_billable_bytes=128_000)
    ledger.record(cropped_record("after", original_bytes=9_000))
    report = ledger.savings(Period(), min_billable_bytes=128_000)
    assert report.totals == ledger.totals(PhotoFilter(), min_billable_bytes=128_000)
    assert ledger.rebuild_savings(min_billable_bytes=128_000).agreed


def test_report_of_whole_days_reads_no_photo(ledger: SqlLedger, engine: Engine) -> None:
    for record in various(30):
        ledger.record(record)
    Rollup(engine).fold()
    period = Period(datetime(2025, 12, 15, tzinfo=UTC), datetime(2026, 5, 9, tzinfo=UTC))
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))

    for group_by in (None, *GroupBy):
        ledger.savings(period, group_by=group_by, min_billable_bytes=0)
    ledger.model_days(NOON.date(), NOON.date() + timedelta(days=30))

    reports = [statement for statement in asked if "savings_sums" in statement]
    assert len(reports) == 10
    assert not any("photos." in statement for statement in reports)


def test_hours_at_the_ends_are_read_by_the_index_of_their_moments(
    ledger: SqlLedger, engine: Engine
) -> None:
    with for_writing(engine).begin() as connection:
        rows = [photo_columns(record) for record in various(3_000)]
        connection.execute(insert(PhotoRow), rows)
        connection.execute(text("analyze"))
    plans: list[str] = []
    explain = "explain query plan " if engine.dialect.name == "sqlite" else "explain "

    @event.listens_for(engine, "before_cursor_execute")
    def explained(
        _: object, cursor: Cursor, statement: str, values: tuple[object], *_rest: object
    ) -> None:
        if statement.startswith("SELECT") and "photos." in statement:
            cursor.execute(explain + statement, values)
            plans.extend(f"{row[-1]}" for row in cursor.fetchall())

    period = Period(NOON, NOON + timedelta(days=2))
    for group_by in (None, *GroupBy):
        ledger.savings(period, group_by=group_by, min_billable_bytes=0)

    assert any("ix_photos_received_at_id" in line for line in plans)
    assert not any("SCAN photos" in line or "Seq Scan on photos" in line for line in plans)


def test_migration_sums_up_the_photos_that_are_there(engine: Engine) -> None:
    with for_writing(engine).begin() as connection:
        command.downgrade(migration_config(connection), "0003")
        records = [
            *various(60),
            kept_record("restored", reason=Reason.RESTORED),
            cropped_record("in grace", retained_key="originals/g.jpg"),
            replace(cropped_record("with its whole"), context=context_picture("c")),
            replace(cropped_record("between millionths"), confidence=0.1234565),
            cropped_record(
                "last moment", received_at=datetime(2026, 3, 31, 23, 59, 59, 999_999, UTC)
            ),
        ]
        connection.execute(insert(PhotoRow), [_columns_of_then(record) for record in records])

    migrate(engine)

    ledger = SqlLedger(engine)
    assert totals(ledger) == ledger.totals(PhotoFilter(), min_billable_bytes=0)
    rebuilt = ledger.rebuild_savings(min_billable_bytes=0)
    assert rebuilt.agreed
    assert rebuilt.photos == len(records)


def _columns_of_then(record: Record) -> dict[str, object]:
    """Without those that later versions added."""
    later = {"stored_at_rest", "stored_unpacked_bytes"}
    return {name: value for name, value in photo_columns(record).items() if name not in later}
