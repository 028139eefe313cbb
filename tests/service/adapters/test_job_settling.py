"""Outcomes: each item ends once, with its record, its history and its job's sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from service.adapters.sql.freed import count_freed
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.transactions import Transactions
from service.core.crop import Reason
from service.core.history import is_unbroken
from service.core.job import Item, ItemState, Job, JobCounts, Outcome
from service.core.record import PhotoFilter, Record, Retention, Status
from service.ports import JobLedger, Ledger
from tests.jobs import archive_of, batch_record, counted, cropped, failed, job_over, skipped
from tests.records import NOON, context_picture, cropped_record


@pytest.fixture
def jobs(engine: Engine) -> JobLedger:
    """An empty one in each database in turn."""
    return SqlJobLedger(engine)


@pytest.fixture
def photos(engine: Engine) -> Ledger:
    """On the same database."""
    return SqlLedger(engine)


def events(photos: Ledger, photo_id: UUID) -> list[str]:
    history = photos.history(photo_id)
    assert is_unbroken(history)
    return [entry.event for entry in history]


def now(jobs: JobLedger, job: Job) -> Job:
    found = jobs.job(job.id)
    assert found is not None
    return found


def test_item_ends_with_its_record(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(3))
    record = replace(batch_record("a"), exif=b"\xff\x00")
    outcome = cropped(items[1], record)

    (settled,) = jobs.settle(job.id, [outcome])

    assert settled.item == outcome.item
    assert not settled.needless
    assert list(jobs.every_item(job.id)) == [items[0], outcome.item, items[2]]
    assert photos.by_id(record.id) == record
    assert events(photos, record.id) == ["recorded"]
    job = now(jobs, job)
    assert job.counts == JobCounts(total=3, cropped=1)
    assert (job.original_bytes, job.stored_bytes) == (record.original.bytes, record.stored.bytes)


def test_outcomes_come_back_in_their_order(jobs: JobLedger) -> None:
    job, items = job_over(jobs, archive_of(4))
    outcomes = [
        failed(items[3]),
        cropped(items[0], batch_record("z")),
        skipped(items[2]),
        cropped(items[1], batch_record("a")),
    ]

    settled = jobs.settle(job.id, outcomes)

    assert [each.item for each in settled] == [outcome.item for outcome in outcomes]
    assert now(jobs, job).counts == JobCounts(total=4, cropped=2, failed=1, skipped=1)


def test_outcomes_of_several_chunks_are_counted_in_each(jobs: JobLedger) -> None:
    job, items = job_over(jobs, archive_of(600))

    jobs.settle(job.id, [failed(item) for item in items[::-1]])

    assert jobs.open_chunks(job.id, limit=10) == ()
    assert now(jobs, job).counts == JobCounts(total=600, failed=600)


def test_settling_nothing_changes_nothing(jobs: JobLedger) -> None:
    job, _ = job_over(jobs, archive_of(1))

    assert jobs.settle(job.id, []) == ()
    assert now(jobs, job).counts == JobCounts(total=1)


def test_call_whose_commit_was_not_confirmed_can_be_made_again(
    jobs: JobLedger, photos: Ledger
) -> None:
    job, items = job_over(jobs, archive_of(3))
    photos.record(cropped_record("there already"))
    outcomes = [
        cropped(items[0], batch_record("new")),
        cropped(items[1], batch_record("there already")),
        failed(items[2]),
    ]
    first = jobs.settle(job.id, outcomes)
    before = now(jobs, job)

    again = jobs.settle(job.id, outcomes)

    assert again == first
    assert [settled.needless for settled in again] == [False, True, False]
    assert now(jobs, job) == before


def test_item_that_another_worker_ended_stays_as_it_is(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(1))
    winner, late = batch_record("a"), batch_record("a")
    (won,) = jobs.settle(job.id, [cropped(items[0], winner)])

    (lost,) = jobs.settle(job.id, [cropped(items[0], late)])
    (lost_too,) = jobs.settle(job.id, [failed(items[0])])

    assert (lost.item, lost.needless) == (won.item, True)
    assert (lost_too.item, lost_too.needless) == (won.item, False)
    assert photos.by_id(late.id) is None
    assert now(jobs, job).counts == JobCounts(total=1, cropped=1)


def test_item_that_is_told_of_twice_in_a_call_ends_as_first_told(
    jobs: JobLedger, photos: Ledger
) -> None:
    job, items = job_over(jobs, archive_of(1))
    first, second = batch_record("a"), batch_record("b")

    settled = jobs.settle(job.id, [cropped(items[0], first), cropped(items[0], second)])

    assert [each.item.photo_id for each in settled] == [first.id, first.id]
    assert [each.needless for each in settled] == [False, True]
    assert photos.page(PhotoFilter(), limit=10).items == (first,)
    assert now(jobs, job).counts == JobCounts(total=1, cropped=1)


def test_bytes_that_were_recorded_before_make_the_item_skipped(
    jobs: JobLedger, photos: Ledger
) -> None:
    uploaded = cropped_record("same")
    photos.record(uploaded)
    job, items = job_over(jobs, archive_of(2))
    late = replace(batch_record("same"), context=context_picture("late"))

    met, new = jobs.settle(
        job.id, [cropped(items[0], late), cropped(items[1], batch_record("other"))]
    )

    assert (met.item.state, met.item.code) == (ItemState.SKIPPED, "already_stored")
    assert (met.item.photo_id, met.item.stored_key) == (uploaded.id, uploaded.stored.key)
    assert (met.item.original_bytes, met.item.stored_bytes) == (0, 0)
    assert met.item.context_bytes == 0
    assert met.needless
    assert not new.needless
    assert photos.by_original(uploaded.original.sha256) == uploaded
    assert events(photos, late.id) == []
    job = now(jobs, job)
    assert job.counts == JobCounts(total=2, cropped=1, skipped=1)
    assert job.original_bytes == new.item.original_bytes


def test_of_items_with_the_same_bytes_the_first_is_kept(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(3))
    records = [batch_record("same", stored_key=f"{n}") for n in range(3)]
    outcomes = [cropped(item, record) for item, record in zip(items, records, strict=True)]

    last, middle, first = jobs.settle(job.id, outcomes[::-1])

    assert photos.page(PhotoFilter(), limit=10).items == (records[0],)
    assert first.item == outcomes[0].item
    assert [last.item.photo_id, middle.item.photo_id] == [records[0].id] * 2
    assert [each.needless for each in (first, middle, last)] == [False, True, True]


def successor(before: Record, *, stored_key: str = "s3://crops/2.jpg") -> Record:
    """The same photo's account by another model."""
    record = batch_record("same", stored_key=stored_key, fingerprint="model 2")
    original, received_at = before.original, before.received_at
    return replace(record, id=before.id, original=original, received_at=received_at)


def test_context_picture_of_another_model_takes_the_place_of_the_earlier(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = replace(batch_record("same"), context=context_picture("1"))
    photos.record(before)
    after = replace(successor(before), context=context_picture("2", 7_000))
    job, items = job_over(jobs, archive_of(1))
    outcome = cropped(items[0], after, supersedes=True)

    (settled,) = jobs.settle(job.id, [outcome])

    assert photos.by_id(before.id) == after
    assert (settled.item.stored_bytes, settled.item.context_bytes) == (after.kept_bytes, 7_000)
    assert list(jobs.every_item(job.id)) == [settled.item]
    assert now(jobs, job).stored_bytes == after.kept_bytes


def test_another_model_s_record_takes_the_place_of_the_earlier(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = batch_record("same")
    photos.record(before)
    after = successor(before)
    job, items = job_over(jobs, archive_of(1))

    (settled,) = jobs.settle(job.id, [cropped(items[0], after, supersedes=True)])

    assert photos.page(PhotoFilter(), limit=10).items == (after,)
    assert events(photos, before.id) == ["recorded", "superseded"]
    assert settled.item.photo_id == before.id
    assert not settled.needless


def test_of_two_that_supersede_the_same_record_the_second_comes_too_late(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = batch_record("same")
    photos.record(before)
    job, items = job_over(jobs, archive_of(2))
    one, two = successor(before, stored_key="1"), successor(before, stored_key="2")

    jobs.settle(job.id, [cropped(items[0], one, supersedes=True)])
    (late,) = jobs.settle(job.id, [cropped(items[1], two, supersedes=True)])

    assert photos.by_id(before.id) == one
    assert (late.item.code, late.item.stored_key) == ("already_stored", "1")
    assert late.needless
    assert events(photos, before.id) == ["recorded", "superseded"]


def test_record_that_somebody_restored_meanwhile_stays(jobs: JobLedger, photos: Ledger) -> None:
    before = batch_record("same")
    photos.record(before)
    restored = replace(before, status=Status.KEPT_ORIGINAL, reason=Reason.RESTORED, crop=None)
    photos.change(before, restored)
    job, items = job_over(jobs, archive_of(1))

    (late,) = jobs.settle(job.id, [cropped(items[0], successor(before), supersedes=True)])

    assert photos.by_id(before.id) == restored
    assert late.item.code == "already_stored"


def in_grace(photo: str) -> Record:
    record = batch_record(photo)
    original = replace(
        record.original,
        retained_key="s3://archive/same.jpg",
        retained_until=NOON,
        retention=Retention.GRACE,
    )
    return replace(record, original=original)


@pytest.mark.parametrize("purged", [False, True], ids=["about to be", "already"])
def test_original_that_is_purged_meanwhile_is_not_made_the_stored_object(
    jobs: JobLedger, photos: Ledger, *, purged: bool
) -> None:
    before = in_grace("same")
    photos.record(before)
    original = replace(before.original, retained_until=None)
    if purged:
        original = replace(original, retained_key=None, retention=None)
    meanwhile = replace(before, original=original)
    photos.change(before, meanwhile)
    after = replace(
        successor(before, stored_key="s3://archive/same.jpg"),
        status=Status.KEPT_ORIGINAL,
        reason=Reason.NO_REGION,
        crop=None,
    )
    job, items = job_over(jobs, archive_of(1))

    (late,) = jobs.settle(job.id, [cropped(items[0], after, supersedes=True)])

    assert photos.by_id(before.id) == meanwhile
    assert late.needless


def test_what_should_supersede_a_record_that_was_deleted_becomes_a_photo_of_its_own(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = batch_record("same")
    photos.record(before)
    photos.delete(before.id, at=NOON)
    job, items = job_over(jobs, archive_of(1))

    (settled,) = jobs.settle(job.id, [cropped(items[0], successor(before), supersedes=True)])

    (record,) = photos.page(PhotoFilter(), limit=10).items
    assert record == replace(successor(before), id=record.id)
    assert (settled.item.photo_id, settled.needless) == (record.id, False)
    assert events(photos, record.id) == ["recorded"]
    assert events(photos, before.id) == ["recorded", "deleted"]


def test_superseding_what_was_deleted_and_recorded_anew_meets_the_new_record(
    jobs: JobLedger, photos: Ledger
) -> None:
    before, anew = batch_record("same"), cropped_record("same")
    photos.record(before)
    photos.delete(before.id, at=NOON)
    photos.record(anew)
    job, items = job_over(jobs, archive_of(1))

    (settled,) = jobs.settle(job.id, [cropped(items[0], successor(before), supersedes=True)])

    assert photos.page(PhotoFilter(), limit=10).items == (anew,)
    assert settled.item.photo_id == anew.id


def test_outcomes_of_unknown_items_are_not_kept(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(1))
    record = batch_record("a")
    nowhere = Item(99, items[0].object)

    unknown_job = jobs.settle(uuid4(), [cropped(items[0], record), failed(items[0])])
    unknown_item = jobs.settle(job.id, [cropped(nowhere, record)])

    assert [settled.needless for settled in (*unknown_job, *unknown_item)] == [True, False, True]
    assert photos.by_id(record.id) is None
    assert now(jobs, job).counts == JobCounts(total=1)


def test_message_may_quote_anything(jobs: JobLedger) -> None:
    job, items = job_over(jobs, archive_of(1))

    (settled,) = jobs.settle(job.id, [failed(items[0], message="IFD \x00\x01 in \ud800")])

    assert settled.item.message == "IFD \ufffd\x01 in ?"
    assert list(jobs.every_item(job.id)) == [settled.item]


def test_nothing_is_kept_where_a_record_can_t_be(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(2))
    good, bad = batch_record("good"), batch_record("bad", stored_key="half \ud800")

    with pytest.raises(UnicodeEncodeError):
        jobs.settle(job.id, [cropped(items[0], good), cropped(items[1], bad)])

    assert list(jobs.every_item(job.id)) == items
    assert photos.by_id(good.id) is None
    assert events(photos, good.id) == []


def freed(engine: Engine, photo_id: UUID, freed_bytes: int) -> None:
    with Transactions(engine).writing() as session:
        count_freed(session, photo_id, freed_bytes)


def test_what_the_purge_frees_is_counted_once(engine: Engine, jobs: JobLedger) -> None:
    job, items = job_over(jobs, archive_of(300))
    record = batch_record("a")
    jobs.settle(job.id, [cropped(items[299], record), skipped(items[0], record)])

    freed(engine, record.id, 5_000_000_000)
    freed(engine, record.id, 5_000_000_000)
    freed(engine, uuid4(), 7)

    assert now(jobs, job).freed_bytes == 5_000_000_000
    by_number = {item.number: item.freed_bytes for item in jobs.every_item(job.id)}
    assert {number: bytes_ for number, bytes_ in by_number.items() if bytes_} == {
        299: 5_000_000_000
    }


def test_what_the_purge_frees_is_counted_for_the_last_job_that_made_the_record(
    engine: Engine, jobs: JobLedger
) -> None:
    before = batch_record("same")
    first, items = job_over(jobs, archive_of(1))
    jobs.settle(first.id, [cropped(items[0], before)])
    second, items = job_over(jobs, archive_of(1))
    outcome = cropped(items[0], successor(before), supersedes=True)
    later = replace(outcome.item, finished_at=NOON + timedelta(days=1))
    jobs.settle(second.id, [replace(outcome, item=later)])

    freed(engine, before.id, 1_000)
    freed(engine, before.id, 1_000)

    assert (now(jobs, first).freed_bytes, now(jobs, second).freed_bytes) == (0, 1_000)


ENDS = st.sampled_from(["crop", "twin", "fail", "skip"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(st.lists(st.tuples(st.integers(0, 9), ENDS), max_size=6), max_size=5),
    retry=st.booleans(),
)
def test_job_says_what_its_items_say_whatever_was_settled(
    jobs: JobLedger, calls: list[list[tuple[int, str]]], *, retry: bool
) -> None:
    job, items = job_over(jobs, archive_of(10))

    def outcome(item: Item, end: str) -> Outcome:
        match end:
            case "crop":
                return cropped(item, batch_record(str(uuid4())))
            case "twin":
                return cropped(item, batch_record("twin"))
            case "fail":
                return failed(item)
            case _:
                return skipped(item)

    for call in calls:
        jobs.settle(job.id, [outcome(items[number], end) for number, end in call])
        if retry:
            jobs.retry_failed(job.id)

    every = list(jobs.every_item(job.id))
    job = now(jobs, job)
    assert job.counts == counted(every)
    assert job.original_bytes == sum(item.original_bytes for item in every)
    assert job.stored_bytes == sum(item.stored_bytes for item in every)
