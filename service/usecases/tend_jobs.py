"""What a worker does for jobs beside running chunks: it begins them, hands them out, ends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from service.core.forecast import forecast_of
from service.core.job import FOR_WORKERS, Job, JobState
from service.ports import JobLedger, WorkflowEngine

CHUNKS_AHEAD = 64
"""So many chunks of a job are handed out: enough for any number of workers, few beside others'."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What storage costs."""

    price_per_gb_month: float
    min_billable_bytes: int


@dataclass(frozen=True, slots=True)
class JobTender:
    """Any worker may tend any job, and many at once: every step is taken once in effect."""

    jobs: JobLedger
    engine: WorkflowEngine
    prices: Prices
    clock: Callable[[], datetime]

    def tend(self) -> None:
        """Takes every job a step further where one is due."""
        for job in self.jobs.jobs_in(FOR_WORKERS):
            self._tend(job)

    def _tend(self, job: Job) -> None:
        failure = self.engine.failure(job)
        if failure is not None and job.state is not JobState.CANCELLING:
            self._move(job, JobState.FAILED, error=f"the job's work broke off: {failure}")
            return
        match job.state:
            case JobState.PREPARING:
                self.engine.begin_preparing(job)
            case JobState.READY:
                self._move(job, JobState.RUNNING)
            case JobState.RUNNING:
                self._hand_out(job)
            case JobState.CANCELLING if not self.engine.is_working_on(job):
                self._move(job, JobState.CANCELLED)

    def _hand_out(self, job: Job) -> None:
        chunks = self.jobs.open_chunks(job.id, limit=CHUNKS_AHEAD)
        for chunk in chunks:
            self.engine.begin_chunk(job, chunk)
        if not chunks:
            if job.plan.dry_run:
                self._keep_forecast(job)
            self._move(job, JobState.COMPLETE)

    def _keep_forecast(self, job: Job) -> None:
        now = self.clock()
        elapsed_s = (now - (job.started_at or now)).total_seconds()
        forecast = forecast_of(
            self.jobs.every_item(job.id),
            mode=job.plan.mode,
            objects=job.found_objects,
            original_bytes=job.found_bytes,
            price_per_gb_month=self.prices.price_per_gb_month,
            min_billable_bytes=self.prices.min_billable_bytes,
            elapsed_s=elapsed_s,
        )
        self.jobs.keep_forecast(job.id, forecast)

    def _move(self, job: Job, to: JobState, *, error: str | None = None) -> None:
        """Only if nobody else, a person say, has moved it since."""
        self.jobs.move(job.id, to=to, only_from={job.state}, at=self.clock(), error=error)
