"""Batch jobs as people steer them and look at them: which step may follow which."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from service.adapters.sql.jobs import SqlJobLedger
from service.core.archive import ArchivedObject
from service.core.errors import NotFound, RequestRejected
from service.core.job import (
    STEPS,
    Forecast,
    Item,
    ItemState,
    Job,
    JobState,
    Outcome,
    SamplePicture,
    Step,
    Worker,
)
from service.ports import JobLedger
from service.usecases.jobs import (
    JobRequest,
    JobRules,
    contact_sheet_of,
    eta_s,
    job_of,
    live_workers,
    new_job,
    steered,
)
from service.usecases.places import OwnStore
from tests.records import NOON

RULES = JobRules(OwnStore("s3://photos", "metercrop/"))
ARCHIVE = JobRequest(source="s3://archive/2019/")
FORECAST = Forecast(1, 9, 900, 0.9, 0.8, 0.95, 0.1, 0.0, 1.5, 3.0, 1_200)


@pytest.fixture
def jobs(engine: Engine) -> JobLedger:
    return SqlJobLedger(engine)


def job_in(jobs: JobLedger, state: JobState, *, asked: JobRequest = ARCHIVE) -> Job:
    """A new job in that state, which was running before."""
    job = new_job(asked, RULES, at=NOON)
    jobs.create(job)
    for to in (JobState.RUNNING, state):
        jobs.move(job.id, to=to, only_from=set(JobState), at=NOON)
    return job_of(jobs, job.id)


def end_items(jobs: JobLedger, job: Job, *states: ItemState) -> tuple[Item, ...]:
    """Gives the job an item for each state, and ends it so."""
    found = [
        ArchivedObject("s3://archive", f"2019/{n}.jpg", 1_000, f"etag{n}")
        for n in range(len(states))
    ]
    jobs.add_items(job.id, found, listed_after=found[-1].key)
    ended = [
        Outcome(replace(item, state=state, code="photo.corrupt", finished_at=NOON))
        for item, state in zip(jobs.pending_items(job.id, chunk=0), states, strict=True)
        if state is not ItemState.PENDING
    ]
    return tuple(settled.item for settled in jobs.settle(job.id, ended))


@pytest.mark.parametrize("state", JobState)
def test_step_is_taken_where_the_state_allows_it_and_refused_elsewhere(
    state: JobState, jobs: JobLedger
) -> None:
    for step, (allowed, to) in STEPS.items():
        job = job_in(jobs, state)
        end_items(jobs, job, ItemState.FAILED, ItemState.CROPPED)
        if state in allowed:
            at_once = step is Step.CANCEL and state in ("awaiting_confirmation", "paused")
            moved = steered(jobs, job.id, step=step, at=NOON)
            assert moved.state is (JobState.CANCELLED if at_once else to)
            continue
        with pytest.raises(RequestRejected) as refused:
            steered(jobs, job.id, step=step, at=NOON)
        assert refused.value.code == "job.wrong_state"
        assert f"is {state};" in str(refused.value)
        assert all(each in str(refused.value).partition("while")[2] for each in allowed)
        assert job_of(jobs, job.id).state is state


@pytest.mark.parametrize("step", Step)
def test_job_that_is_not_there_is_not_found(step: Step, jobs: JobLedger) -> None:
    with pytest.raises(NotFound) as missing:
        steered(jobs, uuid4(), step=step, at=NOON)

    assert missing.value.code == "job.not_found"


def test_cancelled_at_once_means_ended(jobs: JobLedger) -> None:
    job = job_in(jobs, JobState.PAUSED)

    ended = steered(jobs, job.id, step=Step.CANCEL, at=NOON + timedelta(hours=1))

    assert ended.finished_at == NOON + timedelta(hours=1)


def test_retry_makes_failed_items_pending_and_the_job_ready_for_another_attempt(
    jobs: JobLedger,
) -> None:
    job = job_in(jobs, JobState.COMPLETE)
    end_items(jobs, job, ItemState.CROPPED, ItemState.FAILED, ItemState.SKIPPED, ItemState.FAILED)

    again = steered(jobs, job.id, step=Step.RETRY_FAILED, at=NOON)

    assert (again.state, again.attempt, again.finished_at) == (JobState.READY, 1, None)
    assert (again.counts.pending, again.counts.failed, again.counts.cropped) == (2, 0, 1)


@pytest.mark.parametrize("state", [JobState.COMPLETE, JobState.FAILED, JobState.CANCELLED])
def test_retry_where_nothing_failed_is_refused(state: JobState, jobs: JobLedger) -> None:
    job = job_in(jobs, state)
    end_items(jobs, job, ItemState.CROPPED)

    with pytest.raises(RequestRejected, match="none of its items failed") as refused:
        steered(jobs, job.id, step=Step.RETRY_FAILED, at=NOON)

    assert refused.value.code == "job.wrong_state"
    assert job_of(jobs, job.id).state is state


def test_retry_that_broke_off_half_way_can_be_asked_for_again(jobs: JobLedger) -> None:
    job = job_in(jobs, JobState.COMPLETE)
    end_items(jobs, job, ItemState.FAILED)
    jobs.retry_failed(job.id)

    assert steered(jobs, job.id, step=Step.RETRY_FAILED, at=NOON).state is JobState.READY


def test_job_whose_list_was_never_whole_is_not_tried_again(jobs: JobLedger) -> None:
    job = new_job(ARCHIVE, RULES, at=NOON)
    jobs.create(job)
    end_items(jobs, job, ItemState.FAILED, ItemState.PENDING)
    jobs.move(job.id, to=JobState.FAILED, only_from={JobState.PREPARING}, at=NOON)

    with pytest.raises(RequestRejected, match="never ran"):
        steered(jobs, job.id, step=Step.RETRY_FAILED, at=NOON)

    assert job_of(jobs, job.id).counts.failed == 1


def test_step_that_another_one_was_quicker_than_is_judged_by_the_state_now(
    engine: Engine, jobs: JobLedger
) -> None:
    job = job_in(jobs, JobState.RUNNING)
    overtaken = OvertakenLedger(engine, lambda: steered(jobs, job.id, step=Step.CANCEL, at=NOON))

    with pytest.raises(RequestRejected, match="is cancelling; pause is possible") as refused:
        steered(overtaken, job.id, step=Step.PAUSE, at=NOON)

    assert refused.value.code == "job.wrong_state"
    assert job_of(jobs, job.id).state is JobState.CANCELLING


def test_time_left_follows_from_the_rate_so_far(jobs: JobLedger) -> None:
    job = job_in(jobs, JobState.RUNNING)
    end_items(jobs, job, ItemState.CROPPED, ItemState.FAILED, ItemState.PENDING, ItemState.PENDING)

    running = job_of(jobs, job.id)

    assert eta_s(running, at=NOON + timedelta(seconds=60)) == 60.0
    assert eta_s(running, at=NOON - timedelta(seconds=60)) == 0.0


def test_time_left_is_not_told_unless_it_runs_and_something_is_done(jobs: JobLedger) -> None:
    begun = job_in(jobs, JobState.RUNNING)
    paused = job_in(jobs, JobState.PAUSED)
    end_items(jobs, begun, ItemState.PENDING)
    end_items(jobs, paused, ItemState.CROPPED, ItemState.PENDING)

    assert eta_s(job_of(jobs, begun.id), at=NOON + timedelta(1)) is None
    assert eta_s(job_of(jobs, paused.id), at=NOON + timedelta(1)) is None


def test_worker_counts_until_it_has_been_silent_for_half_a_minute(jobs: JobLedger) -> None:
    jobs.beat(Worker("one", "host", NOON, NOON))
    jobs.beat(Worker("two", "host", NOON, NOON + timedelta(seconds=20)))

    assert live_workers(jobs, at=NOON + timedelta(seconds=30)) == 2
    assert live_workers(jobs, at=NOON + timedelta(seconds=31)) == 1
    assert live_workers(jobs, at=NOON + timedelta(seconds=51)) == 0


def test_contact_sheet_shows_what_a_dry_run_looked_at(jobs: JobLedger) -> None:
    job = job_in(jobs, JobState.RUNNING, asked=replace(ARCHIVE, dry_run=True))
    end_items(jobs, job, ItemState.CROPPED, ItemState.FAILED)
    jobs.keep_forecast(job.id, FORECAST)
    jobs.keep_pictures(job.id, [SamplePicture(0, b"a small picture")])

    page = contact_sheet_of(jobs, job.id)

    assert "0.jpg" in page
    assert "1.jpg" in page
    assert "data:image/jpeg;base64," in page


def test_only_dry_runs_have_a_contact_sheet(jobs: JobLedger) -> None:
    job = job_in(jobs, JobState.COMPLETE)

    with pytest.raises(NotFound) as missing:
        contact_sheet_of(jobs, job.id)

    assert missing.value.code == "job.no_contact_sheet"


class OvertakenLedger(SqlJobLedger):
    """Somebody else is quicker, once, between a look at a job and the step."""

    def __init__(self, engine: Engine, quicker: Callable[[], object]) -> None:
        super().__init__(engine)
        self._quicker: list[Callable[[], object]] = [quicker]

    def move(
        self,
        job_id: UUID,
        *,
        to: JobState,
        only_from: Collection[JobState],
        at: datetime,
        error: str | None = None,
    ) -> bool:
        while self._quicker:
            self._quicker.pop()()
        return super().move(job_id, to=to, only_from=only_from, at=at, error=error)
