"""Changes of records and the histories that tell of them, in the fake and in both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, delete, event, text, update
from sqlalchemy.orm import Session

from service.adapters.sql.engine import for_writing
from service.adapters.sql.history import append_recorded, append_superseded
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.mapping import photo_columns
from service.adapters.sql.tables import PhotoEventRow, PhotoRow
from service.core.errors import Unavailable
from service.core.history import Event, Told, is_unbroken, purged
from service.core.record import PhotoFilter, Record, Retention
from service.ports import Ledger
from service.usecases.originals import without_retention
from tests.jobs import archive_of, cropped, job_over
from tests.racing import THREADS, at_once
from tests.records import NOON, cropped_record, kept_record

RETAINED = Told(Event.RETAINED, {"why": "locked"}, NOON)


def in_grace(photo: str, *, days: float = 0.0) -> Record:
    """The grace ends so many days after noon."""
    record = cropped_record(photo, retained_key=f"originals/{photo}.jpg")
    until = NOON + timedelta(days=days)
    return replace(record, original=replace(record.original, retained_until=until))


def retained_as(record: Record, retention: Retention) -> Record:
    original = replace(record.original, retention=retention, retained_until=None)
    return replace(record, original=original)


def events(ledger: Ledger, record: Record) -> list[str]:
    history = ledger.history(record.id)
    assert is_unbroken(history)
    return [entry.event for entry in history]


def test_history_begins_with_the_record(ledger: Ledger) -> None:
    record = in_grace("new")
    ledger.record(record)

    (entry,) = ledger.history(record.id)

    assert (entry.photo_id, entry.number, entry.event) == (record.id, 1, "recorded")
    assert entry.at == record.received_at
    details = json.loads(entry.details)
    assert details["stored"]["sha256"] == record.stored.sha256
    assert details["retained"]["until"] == "2026-03-01T12:00:00.123456Z"


def test_same_bytes_again_are_no_event(ledger: Ledger) -> None:
    record = cropped_record("same")
    ledger.record(record)
    ledger.record(cropped_record("same"), idempotency_key="k")

    assert events(ledger, record) == ["recorded"]


def test_unknown_photo_has_no_history(ledger: Ledger) -> None:
    assert ledger.history(uuid4()) == ()


def test_history_outlives_the_record(ledger: Ledger) -> None:
    record = cropped_record("deleted")
    ledger.record(record)

    ledger.delete(record.id, at=NOON)
    ledger.delete(record.id, at=NOON)

    assert events(ledger, record) == ["recorded", "deleted"]
    assert record.stored.sha256 in ledger.history(record.id)[-1].details


def test_record_is_changed_with_what_is_told_of_it(ledger: Ledger) -> None:
    before, other = in_grace("a"), in_grace("b")
    ledger.record(before)
    ledger.record(other)
    after = replace(retained_as(before, Retention.LOCKED), crop=None, exif=b"exif")

    assert ledger.change(before, after, told=RETAINED)

    assert ledger.by_id(before.id) == after
    assert ledger.by_id(other.id) == other
    assert events(ledger, before) == ["recorded", "retained"]
    assert ledger.history(before.id)[-1].tells(RETAINED)


def test_change_may_be_told_by_nobody(ledger: Ledger) -> None:
    before = in_grace("a")
    ledger.record(before)

    assert ledger.change(before, retained_as(before, Retention.LOCKED))
    assert events(ledger, before) == ["recorded"]


def test_record_that_is_another_by_now_is_not_changed(ledger: Ledger) -> None:
    before = in_grace("a")
    ledger.record(before)
    meanwhile = retained_as(before, Retention.LOCKED)
    ledger.change(before, meanwhile)

    assert not ledger.change(before, retained_as(before, Retention.MARKED), told=RETAINED)

    assert ledger.by_id(before.id) == meanwhile
    assert events(ledger, before) == ["recorded"]


def test_record_that_is_gone_is_not_changed(ledger: Ledger) -> None:
    record = in_grace("a")
    ledger.record(record)
    ledger.delete(record.id, at=NOON)

    assert not ledger.change(record, record, told=RETAINED)
    assert not ledger.change(in_grace("never there"), in_grace("never there"), told=RETAINED)
    assert events(ledger, record) == ["recorded", "deleted"]


def test_of_many_who_change_the_same_record_one_does(ledger: Ledger) -> None:
    before = in_grace("contested")
    ledger.record(before)

    def changed(n: int) -> bool:
        return ledger.change(before, replace(before, confidence=n / 64), told=RETAINED)

    assert at_once(changed).count(True) == 1
    assert events(ledger, before) == ["recorded", "retained"]


def test_of_many_who_add_to_one_history_all_do_and_none_forks_it(ledger: Ledger) -> None:
    record = in_grace("busy")
    ledger.record(record)

    at_once(
        lambda n: ledger.change(record, record, told=replace(RETAINED, details={"why": f"{n}"}))
    )

    history = ledger.history(record.id)
    assert is_unbroken(history)
    assert [entry.number for entry in history] == list(range(1, THREADS + 2))


def test_originals_whose_grace_is_over_come_longest_ago_first(ledger: Ledger) -> None:
    records = [in_grace(f"{days}", days=days) for days in (-1, 0, 2, -3, 0.001)]
    for record in [*records, cropped_record("none"), kept_record("kept")]:
        ledger.record(record)

    due = ledger.due(NOON, limit=10)

    assert due == (records[3], records[0], records[1])
    assert ledger.due(NOON - timedelta(days=4), limit=10) == ()


def test_original_that_a_purge_began_with_comes_before_all(ledger: Ledger) -> None:
    waiting, begun = in_grace("waiting", days=-9), retained_as(in_grace("begun"), Retention.GRACE)
    ledger.record(waiting)
    ledger.record(begun)

    assert ledger.due(NOON, limit=10) == (begun, waiting)


def test_originals_that_stay_for_other_reasons_are_not_due(ledger: Ledger) -> None:
    locked = retained_as(in_grace("locked"), Retention.LOCKED)
    for record in (
        locked,
        retained_as(in_grace("marked"), Retention.MARKED),
        retained_as(in_grace("source"), Retention.SOURCE),
    ):
        ledger.record(record)

    assert ledger.due(NOON, limit=10) == ()
    assert ledger.locked(limit=10) == (locked,)


def test_due_and_locked_records_come_page_by_page(ledger: Ledger) -> None:
    begun = [retained_as(in_grace(f"begun {n}"), Retention.GRACE) for n in range(4)]
    over = [in_grace(f"over {n}", days=-(n // 3)) for n in range(6)]
    locked = [retained_as(in_grace(f"locked {n}"), Retention.LOCKED) for n in range(3)]
    for record in (*begun, *over, *locked):
        ledger.record(record)

    for size in (1, 3, 4, 20):
        found: list[Record] = []
        while page := ledger.due(NOON, limit=size, after=found[-1] if found else None):
            assert len(page) <= size
            found += page
        assert {record.id for record in found[:4]} == {record.id for record in begun}
        assert {record.id for record in found[4:]} == {record.id for record in over}
        assert len(found) == len(begun) + len(over)
    first = ledger.locked(limit=2)
    last = ledger.locked(limit=2, after=first[-1])
    assert [len(first), len(last)] == [2, 1]
    assert {record.id for record in (*first, *last)} == {record.id for record in locked}


@pytest.mark.parametrize(
    "retention", [Retention.SOURCE, Retention.LOCKED, Retention.MARKED, Retention.GRACE]
)
def test_original_that_is_retained_for_whatever_reason_is_not_freed(
    ledger: Ledger, retention: Retention
) -> None:
    record = retained_as(in_grace("paid for"), retention)
    ledger.record(record)

    totals = ledger.totals(PhotoFilter(), min_billable_bytes=0)

    assert totals.saved_bytes == record.saved_bytes
    assert totals.freed_bytes == record.saved_bytes - record.original.bytes


def test_record_from_before_there_were_histories_gets_its_first_entry_late(engine: Engine) -> None:
    ledger, record = SqlLedger(engine), in_grace("old")
    ledger.record(record)
    with for_writing(engine).begin() as connection:
        connection.execute(delete(PhotoEventRow))

    assert ledger.history(record.id) == ()
    assert ledger.change(record, retained_as(record, Retention.LOCKED), told=RETAINED)

    assert events(ledger, record) == ["recorded", "retained"]
    first = json.loads(ledger.history(record.id)[0].details)
    assert first["written"] == "later"
    assert first["retained"]["why"] == "grace"


def test_record_of_another_model_is_told_with_both_accounts(engine: Engine) -> None:
    ledger, before = SqlLedger(engine), in_grace("seen twice")
    ledger.record(before)
    after = replace(before, stored=replace(before.stored, key="crops/new.jpg"))
    later = NOON + timedelta(days=3)

    with Session(for_writing(engine)) as session, session.begin():
        session.execute(
            update(PhotoRow).where(PhotoRow.id == before.id).values(photo_columns(after))
        )
        append_superseded(session, before, after, at=later)

    _, entry = ledger.history(before.id)
    assert (entry.event, entry.at) == ("superseded", later)
    assert json.loads(entry.details)["stored"]["key"] == "crops/new.jpg"
    assert events(ledger, before) == ["recorded", "superseded"]


def test_purged_original_counts_as_freed_by_the_job_less_its_crop(engine: Engine) -> None:
    ledger, jobs = SqlLedger(engine), SqlJobLedger(engine)
    job, items = job_over(jobs, archive_of(2))
    records = [in_grace(f"of job {n}") for n in range(2)]
    jobs.settle(job.id, [cropped(*each) for each in zip(items, records, strict=True)])
    uploaded = in_grace("of no job")
    ledger.record(uploaded)

    for record in (records[0], uploaded):
        told = purged(record.original, at=NOON)
        assert ledger.change(record, retained_as(record, Retention.GRACE))
        assert ledger.change(retained_as(record, Retention.GRACE), freed(record), told=told)
        assert not ledger.change(record, freed(record), told=told)

    counted = jobs.job(job.id)
    assert counted is not None
    assert counted.freed_bytes == records[0].saved_bytes
    assert events(ledger, records[0]) == ["recorded", "purged"]


def freed(record: Record) -> Record:
    return replace(record, original=without_retention(record.original))


def test_histories_of_many_records_begin_together(engine: Engine) -> None:
    records = [cropped_record(f"{n}") for n in range(300)]

    with Session(for_writing(engine)) as session, session.begin():
        append_recorded(session, records)
        append_recorded(session, [])

    ledger = SqlLedger(engine)
    assert all(events(ledger, record) == ["recorded"] for record in records)


def test_nothing_is_kept_or_changed_whose_history_cannot_be_written(engine: Engine) -> None:
    ledger, before, new = SqlLedger(engine), in_grace("before"), in_grace("new")
    ledger.record(before)
    with for_writing(engine).begin() as connection:
        connection.execute(text("drop table photo_events"))

    for writing in (
        lambda: ledger.record(new),
        lambda: ledger.change(before, retained_as(before, Retention.LOCKED), told=RETAINED),
        lambda: ledger.delete(before.id, at=NOON),
    ):
        with pytest.raises(Unavailable, match="photo_events"):
            writing()

    assert ledger.by_id(new.id) is None
    assert ledger.by_id(before.id) == before


def test_due_originals_are_found_by_their_index(engine: Engine) -> None:
    ledger, asked = SqlLedger(engine), list[tuple[str, Any]]()

    @event.listens_for(engine, "before_cursor_execute")
    def note(*call: Any) -> None:  # noqa: ANN401 - as SQLAlchemy calls it
        asked.append((call[2], call[3]))

    ledger.due(NOON, limit=10)
    ledger.due(NOON, limit=10, after=in_grace("the last of a page"))
    event.remove(engine, "before_cursor_execute", note)

    postgresql = engine.dialect.name == "postgresql"
    explain = "explain" if postgresql else "explain query plan"
    questions = [each for each in asked if each[0].lower().startswith("select")]
    with engine.connect() as connection:
        if postgresql:
            connection.execute(text("set enable_seqscan = off"))  # so few rows need no index
        for statement, parameters in questions:
            plan = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
            assert "ix_photos_retained_until" in str(plan)
    assert len(questions) == 3
