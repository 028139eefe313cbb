"""Many workers at the same items and the same bytes: each item ends once, and sums stay exact."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from uuid import UUID

from sqlalchemy import Engine

from service.adapters.sql.freed import count_freed
from service.adapters.sql.transactions import Transactions
from service.core.history import is_unbroken
from service.core.job import ItemState, Job, JobCounts, JobState, Worker
from service.core.record import PhotoFilter
from service.ports import JobLedger, Ledger, Settled
from tests.jobs import archive_of, batch_record, counted, cropped, failed, job_over, new_job
from tests.racing import at_once
from tests.records import NOON

WORKERS = 8


def assert_exact(jobs: JobLedger, job: Job) -> JobCounts:
    """The job says what its items say."""
    every, now = list(jobs.every_item(job.id)), jobs.job(job.id)
    assert now is not None
    assert now.counts == counted(every)
    assert now.original_bytes == sum(item.original_bytes for item in every)
    assert now.stored_bytes == sum(item.stored_bytes for item in every)
    assert now.freed_bytes == sum(item.freed_bytes for item in every)
    return now.counts


def test_of_workers_that_settle_the_same_items_one_wins_each(
    jobs: JobLedger, photos: Ledger
) -> None:
    job, items = job_over(jobs, archive_of(60))

    def settle(worker: int) -> list[Settled]:
        mine = Random(worker).sample(items, k=40)
        outcomes = [cropped(item, batch_record(item.object.key)) for item in mine]
        return [*jobs.settle(job.id, outcomes[:20]), *jobs.settle(job.id, outcomes[20:])]

    settled = [each for one in at_once(settle) for each in one]

    winners = [each.item.number for each in settled if not each.needless]
    assert sorted(winners) == sorted({each.item.number for each in settled})
    assert len(photos.page(PhotoFilter(), limit=100).items) == len(winners)
    assert assert_exact(jobs, job) == JobCounts(total=60, cropped=len(winners))
    by_number = {item.number: item for item in jobs.every_item(job.id)}
    assert all(each.item == by_number[each.item.number] for each in settled)


def test_same_bytes_in_many_jobs_and_in_any_order_are_recorded_once(
    jobs: JobLedger, photos: Ledger
) -> None:
    made = [job_over(jobs, archive_of(30)) for _ in range(WORKERS)]
    names = [f"photo {n}" for n in range(20)]
    superseded = [batch_record(f"old {n}") for n in range(10)]
    for record in superseded:
        photos.record(record)

    def settle(worker: int) -> list[Settled]:
        job, items = made[worker]
        records = [(batch_record(name), False) for name in names]
        for n, before in enumerate(superseded):
            after = batch_record(f"old {n}", stored_key=f"{worker}", fingerprint=f"{worker}")
            records.append((replace(after, id=before.id), True))
        Random(worker).shuffle(records)
        outcomes = [
            cropped(item, record, supersedes=supersedes)
            for item, (record, supersedes) in zip(items, records, strict=True)
        ]
        return [*jobs.settle(job.id, outcomes[:15]), *jobs.settle(job.id, outcomes[15:])]

    settled = [each for one in at_once(settle, threads=WORKERS) for each in one]

    recorded = photos.page(PhotoFilter(), limit=100).items
    assert len(recorded) == 30
    assert all(is_unbroken(photos.history(record.id)) for record in recorded)
    kept = [each.item.photo_id for each in settled if not each.needless]
    new = {record.id for record in recorded} - {record.id for record in superseded}
    assert sorted(photo for photo in kept if photo in new) == sorted(new)
    for job, _ in made:
        assert assert_exact(jobs, job).finished == 30


def test_uploads_of_the_same_bytes_meet_a_job(jobs: JobLedger, photos: Ledger) -> None:
    job, items = job_over(jobs, archive_of(64))
    names = [f"photo {n}" for n in range(64)]

    def work(n: int) -> None:
        if n % 2:
            for name in Random(n).sample(names, k=20):
                photos.record(batch_record(name))
            return
        mine = items[n * 4 : n * 4 + 8]
        jobs.settle(job.id, [cropped(item, batch_record(names[item.number])) for item in mine])

    at_once(work)

    counts = assert_exact(jobs, job)
    assert (counts.total, counts.finished) == (64, 64)
    ids = {record.id for record in photos.page(PhotoFilter(), limit=100).items}
    assert {item.photo_id for item in jobs.every_item(job.id)} <= ids


def test_failures_are_tried_again_while_stragglers_still_settle(jobs: JobLedger) -> None:
    job, items = job_over(jobs, archive_of(600))
    retried: list[int] = []

    def work(n: int) -> None:
        if n % 4 == 0:
            retried.append(jobs.retry_failed(job.id))
            return
        for batch in range(2):
            mine = Random(n * 10 + batch).sample(items, k=32)
            jobs.settle(job.id, [failed(item) for item in mine])

    at_once(work)

    counts = assert_exact(jobs, job)
    assert counts.total == 600
    assert jobs.retry_failed(job.id) == counts.failed
    assert assert_exact(jobs, job) == JobCounts(total=600)


def test_page_that_many_add_is_added_once(jobs: JobLedger) -> None:
    job = new_job()
    jobs.create(job)

    def add(n: int) -> None:
        for page in range(3):
            found = archive_of(100, start=page * 100 + n % 3 * 50)
            jobs.add_items(job.id, found, listed_after=f"{page}")

    at_once(add)

    assert assert_exact(jobs, job) == JobCounts(total=400)
    added = {item.object.key for item in jobs.every_item(job.id)}
    assert added == {each.key for each in archive_of(400)}


def test_items_end_while_others_are_added_purged_and_looked_at(
    engine: Engine, jobs: JobLedger, photos: Ledger
) -> None:
    job, items = job_over(jobs, archive_of(320))
    ready: list[UUID] = []

    def work(n: int) -> None:
        match n % 4:
            case 0:
                jobs.add_items(job.id, archive_of(100, start=1_000 + 100 * n), listed_after="")
            case 1:
                for _ in range(5):
                    now = jobs.job(job.id)
                    assert now is not None
                    assert now.counts.pending >= 0
                    jobs.beat(Worker(f"{n}", "here", NOON, NOON))
            case _:
                for item in items[n * 20 : n * 20 + 20 : 8]:
                    record = batch_record(item.object.key)
                    jobs.settle(job.id, [cropped(item, record)])
                    ready.append(record.id)
                    with Transactions(engine).writing() as session:
                        count_freed(session, ready[-1], 1_000)

    at_once(work)

    counts = assert_exact(jobs, job)
    assert counts == JobCounts(total=320 + 400, cropped=len(ready))
    now = jobs.job(job.id)
    assert now is not None
    assert now.freed_bytes == 1_000 * len(ready)
    pending = jobs.items(job.id, state=ItemState.PENDING, limit=1_000).items
    assert len(pending) == counts.pending


def test_of_many_that_move_a_job_one_does(jobs: JobLedger) -> None:
    job = new_job()
    jobs.create(job)
    preparing = {JobState.PREPARING}

    moved = at_once(lambda _: jobs.move(job.id, to=JobState.READY, only_from=preparing, at=NOON))

    assert moved.count(True) == 1
    assert jobs.jobs(limit=2).jobs == (replace(job, state=JobState.READY, attempt=1),)
