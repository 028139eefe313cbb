"""What the ledger of jobs promises of jobs and workers, held by both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from service.adapters.sql.jobs import SqlJobLedger
from service.core.errors import RequestRejected
from service.core.job import (
    ENDED,
    STEPS,
    Forecast,
    ItemState,
    Job,
    JobCounts,
    JobPlan,
    JobState,
    Mode,
    SamplePicture,
    Step,
    Worker,
)
from service.ports import JobLedger
from tests.jobs import PLAN, archive_of, job_over, new_job
from tests.records import NOON

LATER = NOON + timedelta(hours=1)
FORECAST = Forecast(
    sampled=400,
    objects=10_000_000,
    original_bytes=40_000_000_000_000,
    saved_fraction=0.9,
    saved_fraction_low=0.8875,
    saved_fraction_high=1.0,
    kept_fraction=0.0625,
    failed_fraction=0.0,
    money_per_month=828.5,
    duration_s=123.0,
    transferred_bytes=44_000_000_000_000,
)


@pytest.fixture
def ledger(engine: Engine) -> JobLedger:
    """An empty one in each database in turn."""
    return SqlJobLedger(engine)


def full_job() -> Job:
    """Every optional part is there, and no two fields hold the same."""
    plan = JobPlan(
        source="s3://archive/Zähler №/",
        manifest="file:///lists/2021.csv",
        mode=Mode.REPLACE,
        destination="s3://crops/'; drop table jobs --/",
        dry_run=True,
        sample=400,
        confirm=True,
        max_failed_fraction=0.25,
        priority=-7,
        max_per_second=12.5,
        keep_originals_days=31,
        folders=("/lists", "/mnt/Zähler"),
    )
    return replace(
        new_job(plan=plan, state=JobState.AWAITING_CONFIRMATION),
        attempt=3,
        found_objects=10_000_000_000,
        found_bytes=2**53 + 1,
        listed_after="2021/ende.jpg",
        started_at=NOON + timedelta(minutes=1),
        finished_at=NOON + timedelta(minutes=2),
        error="it broke off",
        forecast=FORECAST,
    )


@pytest.mark.parametrize("job", [full_job(), new_job()], ids=["full", "bare"])
def test_job_comes_back_whole(ledger: JobLedger, job: Job) -> None:
    ledger.create(job)

    assert ledger.job(job.id) == job
    assert ledger.jobs(limit=10).jobs == (job,)
    assert ledger.jobs_in([job.state]) == (job,)


def test_job_that_is_created_again_stays_as_it_is(ledger: JobLedger) -> None:
    job = new_job()
    ledger.create(job)
    ledger.move(job.id, to=JobState.READY, only_from={JobState.PREPARING}, at=NOON)

    ledger.create(job)

    assert ledger.jobs(limit=10).jobs == (replace(job, state=JobState.READY, attempt=1),)


def test_nothing_is_known_of_an_unknown_job(ledger: JobLedger) -> None:
    unknown = uuid4()
    ledger.add_items(unknown, archive_of(3), listed_after="c")
    ledger.set_found(unknown, objects=1, original_bytes=1)
    ledger.keep_forecast(unknown, FORECAST)
    ledger.keep_pictures(unknown, [SamplePicture(1, b"jpeg")])

    assert ledger.job(unknown) is None
    assert not ledger.move(unknown, to=JobState.READY, only_from=set(JobState), at=NOON)
    assert ledger.open_chunks(unknown, limit=10) == ()
    assert ledger.pending_items(unknown, chunk=0) == ()
    assert ledger.retry_failed(unknown) == 0
    assert ledger.items(unknown, state=None, limit=10).items == ()
    assert list(ledger.every_item(unknown)) == []
    assert ledger.sample_pictures(unknown) == ()


def test_jobs_are_paged_newest_first_while_more_arrive(ledger: JobLedger) -> None:
    jobs = [new_job(created_at=NOON + timedelta(seconds=n // 3)) for n in range(10)]
    for job in jobs:
        ledger.create(job)
    paged: list[Job] = []
    cursor = None

    for _ in range(4):
        page = ledger.jobs(limit=3, cursor=cursor)
        paged += page.jobs
        cursor = page.next_cursor
        ledger.create(new_job(created_at=LATER))

    assert paged == sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)
    assert cursor is None


@pytest.mark.parametrize("cursor", ["", "?", "é", "AAAA", "MTI"])
def test_unreadable_cursor_is_refused_by_name(ledger: JobLedger, cursor: str) -> None:
    with pytest.raises(RequestRejected, match="cursor") as refusal:
        ledger.jobs(limit=10, cursor=cursor)

    assert refusal.value.code == "field.invalid"


def test_jobs_in_states_come_by_priority_and_then_oldest_first(ledger: JobLedger) -> None:
    def job(name: int, *, priority: int, state: JobState = JobState.READY) -> Job:
        made = new_job(
            plan=replace(PLAN, priority=priority),
            state=state,
            created_at=NOON + timedelta(seconds=name),
        )
        ledger.create(made)
        return made

    later, first = job(2, priority=0), job(1, priority=0)
    urgent = job(3, priority=5, state=JobState.RUNNING)
    job(4, priority=9, state=JobState.PAUSED)

    assert ledger.jobs_in([JobState.READY, JobState.RUNNING]) == (urgent, first, later)
    assert ledger.jobs_in([]) == ()


def moved(ledger: JobLedger, job: Job, *states: JobState, at: datetime = NOON) -> Job:
    """The job after it went through these states."""
    for to in states:
        assert ledger.move(job.id, to=to, only_from=set(JobState), at=at)
    now = ledger.job(job.id)
    assert now is not None
    return now


@pytest.mark.parametrize("step", Step)
def test_step_is_taken_from_its_states_only(ledger: JobLedger, step: Step) -> None:
    allowed, to = STEPS[step]
    for state in JobState:
        job = new_job(state=state)
        ledger.create(job)

        took = ledger.move(job.id, to=to, only_from=allowed, at=NOON)

        assert took == (state in allowed)
        if not took:
            assert ledger.job(job.id) == job


def test_setting_a_job_going_again_forgets_its_end(ledger: JobLedger) -> None:
    job = new_job()
    ledger.create(job)
    moved(ledger, job, JobState.READY, JobState.RUNNING)
    running = {JobState.RUNNING}
    assert ledger.move(job.id, to=JobState.FAILED, only_from=running, at=LATER, error="full")
    ended = ledger.job(job.id)

    again = moved(ledger, job, JobState.READY, JobState.RUNNING, at=LATER)

    assert ended is not None
    assert (ended.attempt, ended.error, ended.finished_at) == (1, "full", LATER)
    assert (again.attempt, again.error, again.finished_at) == (2, None, None)
    assert again.started_at == NOON  # when it ran for the first time


@pytest.mark.parametrize("state", sorted(ENDED))
def test_job_that_ended_says_when(ledger: JobLedger, state: JobState) -> None:
    job = new_job()
    ledger.create(job)

    assert moved(ledger, job, JobState.READY, JobState.RUNNING).finished_at is None
    assert moved(ledger, job, state, at=LATER).finished_at == LATER


def test_error_may_quote_anything(ledger: JobLedger) -> None:
    job = new_job()
    ledger.create(job)
    preparing = {JobState.PREPARING}

    ledger.move(
        job.id, to=JobState.FAILED, only_from=preparing, at=NOON, error="no such: a\x00b\ud800"
    )

    (now,) = ledger.jobs(limit=1).jobs
    assert now.error == "no such: a\ufffdb?"


def test_sample_tells_what_the_whole_source_holds(ledger: JobLedger) -> None:
    job, _ = job_over(ledger, archive_of(3))

    ledger.set_found(job.id, objects=10_000_000, original_bytes=40_000_000_000_000)

    now = ledger.job(job.id)
    assert now is not None
    assert (now.found_objects, now.found_bytes) == (10_000_000, 40_000_000_000_000)
    assert now.counts == JobCounts(total=3)


def test_forecast_comes_back(ledger: JobLedger) -> None:
    job = new_job()
    ledger.create(job)

    ledger.keep_forecast(job.id, FORECAST)

    assert ledger.job(job.id) == replace(job, forecast=FORECAST)


def test_pictures_come_back_in_order_and_the_first_of_a_number_stays(ledger: JobLedger) -> None:
    job, other = new_job(), new_job()
    ledger.create(job)
    ledger.create(other)
    seven, two = SamplePicture(7, bytes(range(256))), SamplePicture(2, b"\x00\xff")

    ledger.keep_pictures(job.id, [seven, two])
    ledger.keep_pictures(job.id, [SamplePicture(7, b"another"), SamplePicture(8, b"8")])
    ledger.keep_pictures(job.id, [])

    assert ledger.sample_pictures(job.id) == (two, seven, SamplePicture(8, b"8"))
    assert ledger.sample_pictures(other.id) == ()


def test_worker_is_added_with_its_first_beat_and_forgotten_once(ledger: JobLedger) -> None:
    one, two = Worker("a", "here", NOON, NOON), Worker("b", "there", LATER, LATER)
    ledger.beat(two)
    ledger.beat(one)
    ledger.beat(replace(one, seen_at=LATER))

    assert ledger.workers() == (replace(one, seen_at=LATER), two)
    assert ledger.forget_worker("a")
    assert not ledger.forget_worker("a")
    assert ledger.workers() == (two,)


def test_jobs_do_not_share_their_counts(ledger: JobLedger) -> None:
    one, _ = job_over(ledger, archive_of(300))
    two, _ = job_over(ledger, archive_of(2))
    none = new_job()
    ledger.create(none)

    totals = {job.id: job.counts.total for job in ledger.jobs(limit=10).jobs}

    assert totals == {one.id: 300, two.id: 2, none.id: 0}
    assert ledger.items(two.id, state=ItemState.FAILED, limit=10).items == ()
