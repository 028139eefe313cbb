"""Outcomes: each item ends once, with its record, its history and its job's sums."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.job import Item, ItemState, JobCounts, Outcome
from service.core.record import PhotoFilter
from service.ports import JobLedger, Ledger
from tests.jobs import (
    archive_of,
    batch_record,
    counted,
    cropped,
    current,
    events_of,
    failed,
    job_over,
    skipped,
)
from tests.records import context_picture, cropped_record


def test_item_ends_with_its_record(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(3))
    record = replace(batch_record("a"), exif=b"\xff\x00")
    outcome = cropped(items[1], record)

    (settled,) = jobs.settle(job.id, [outcome])

    assert settled.item == outcome.item
    assert not settled.needless
    assert list(jobs.every_item(job.id)) == [items[0], outcome.item, items[2]]
    assert photos.by_id(record.id) == record
    assert events_of(photos, record.id) == ["recorded"]
    job = current(jobs, job)
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
    assert current(jobs, job).counts == JobCounts(total=4, cropped=2, failed=1, skipped=1)


def test_outcomes_of_several_chunks_are_counted_in_each(jobs: JobLedger) -> None:
    job, items = job_over(jobs, archive_of(600))

    jobs.settle(job.id, [failed(item) for item in items[::-1]])

    assert jobs.open_chunks(job.id, limit=10) == ()
    assert current(jobs, job).counts == JobCounts(total=600, failed=600)


def test_settling_nothing_changes_nothing(jobs: JobLedger) -> None:
    job, _ = job_over(jobs, archive_of(1))

    assert jobs.settle(job.id, []) == ()
    assert current(jobs, job).counts == JobCounts(total=1)


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
    before = current(jobs, job)

    again = jobs.settle(job.id, outcomes)

    assert again == first
    assert [settled.needless for settled in again] == [False, True, False]
    assert current(jobs, job) == before


def test_item_that_another_worker_ended_stays_as_it_is(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(1))
    winner, late = batch_record("a"), batch_record("a")
    (won,) = jobs.settle(job.id, [cropped(items[0], winner)])

    (lost,) = jobs.settle(job.id, [cropped(items[0], late)])
    (lost_too,) = jobs.settle(job.id, [failed(items[0])])

    assert (lost.item, lost.needless) == (won.item, True)
    assert (lost_too.item, lost_too.needless) == (won.item, False)
    assert photos.by_id(late.id) is None
    assert current(jobs, job).counts == JobCounts(total=1, cropped=1)


def test_item_that_is_told_of_twice_in_a_call_ends_as_first_told(
    jobs: JobLedger, photos: Ledger
) -> None:
    job, items = job_over(jobs, archive_of(1))
    first, second = batch_record("a"), batch_record("b")

    settled = jobs.settle(job.id, [cropped(items[0], first), cropped(items[0], second)])

    assert [each.item.photo_id for each in settled] == [first.id, first.id]
    assert [each.needless for each in settled] == [False, True]
    assert photos.page(PhotoFilter(), limit=10).items == (first,)
    assert current(jobs, job).counts == JobCounts(total=1, cropped=1)


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
    assert events_of(photos, late.id) == []
    job = current(jobs, job)
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


def test_outcomes_of_unknown_items_are_not_kept(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(1))
    record = batch_record("a")
    nowhere = Item(99, items[0].object)

    unknown_job = jobs.settle(uuid4(), [cropped(items[0], record), failed(items[0])])
    unknown_item = jobs.settle(job.id, [cropped(nowhere, record)])

    assert [settled.needless for settled in (*unknown_job, *unknown_item)] == [True, False, True]
    assert photos.by_id(record.id) is None
    assert current(jobs, job).counts == JobCounts(total=1)


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
    assert events_of(photos, good.id) == []


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
    job = current(jobs, job)
    assert job.counts == counted(every)
    assert job.original_bytes == sum(item.original_bytes for item in every)
    assert job.stored_bytes == sum(item.stored_bytes for item in every)
