"""A batch job as pages tell of it: what the API answers, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.api.job_schemas import JobAnswer
from service.core.job import ENDED, FOR_WORKERS, STEPS, ItemState, JobState, Step

PHASES: Mapping[JobState, str] = {
    JobState.PREPARING: "The list of its photos is being made.",
    JobState.AWAITING_CONFIRMATION: "The list is made. It runs once somebody says yes.",
    JobState.READY: "It waits for a worker to take it on.",
    JobState.RUNNING: "It runs.",
    JobState.PAUSED: "It rests until somebody resumes it; what was in hand is finished first.",
    JobState.CANCELLING: "It ends as soon as what is in hand is finished.",
    JobState.CANCELLED: "It was cancelled. What was done stays done.",
    JobState.COMPLETE: "All of it is dealt with.",
    JobState.FAILED: "It broke off, for the reason told above.",
}
TONES: Mapping[JobState, str] = {
    JobState.AWAITING_CONFIRMATION: "warn",
    JobState.PAUSED: "warn",
    JobState.CANCELLING: "warn",
    JobState.RUNNING: "good",
    JobState.COMPLETE: "good",
    JobState.FAILED: "bad",
}
"""How a state's badge is coloured; others are grey."""
LABELS: Mapping[Step, str] = {
    Step.CONFIRM: "Yes, run it",
    Step.PAUSE: "Pause",
    Step.RESUME: "Resume",
    Step.CANCEL: "Cancel",
    Step.RETRY_FAILED: "Try the failed again",
}
OUTCOMES: Mapping[ItemState, str] = {
    ItemState.CROPPED: "cropped",
    ItemState.KEPT_ORIGINAL: "kept whole",
    ItemState.SKIPPED: "skipped",
    ItemState.FAILED: "failed",
    ItemState.PENDING: "waiting",
}


@dataclass(frozen=True, slots=True)
class JobView:
    job: JobAnswer
    now: datetime

    @property
    def title(self) -> str:
        return self.job.source or self.job.manifest or ""

    @property
    def phase(self) -> str:
        return PHASES[self.job.state]

    @property
    def tone(self) -> str:
        return TONES.get(self.job.state, "")

    @property
    def finished(self) -> int:
        counts = self.job.counts
        return counts.cropped + counts.kept_original + counts.failed + counts.skipped

    @property
    def pending(self) -> int:
        return self.job.counts.total - self.finished

    @property
    def outcomes(self) -> tuple[tuple[ItemState, str, int], ...]:
        """How many of its objects are in each state, with the state's name."""
        counts = {**self.job.counts.model_dump(), ItemState.PENDING.value: self.pending}
        return tuple((state, name, counts[state.value]) for state, name in OUTCOMES.items())

    @property
    def saved_bytes(self) -> int:
        return self.job.original_bytes - self.job.stored_bytes

    @property
    def saved_fraction(self) -> float:
        original = self.job.original_bytes
        return self.saved_bytes / original if original else 0.0

    @property
    def rate_per_s(self) -> float | None:
        """Over all the time since it began; None where that tells nothing."""
        job = self.job
        if job.started_at is None or not self.finished:
            return None
        passed_s = ((job.finished_at or self.now) - job.started_at).total_seconds()
        return self.finished / passed_s if passed_s > 0 else None

    @property
    def needs_worker(self) -> bool:
        return self.job.state in FOR_WORKERS

    @property
    def has_ended(self) -> bool:
        return self.job.state in ENDED

    @property
    def is_listed(self) -> bool:
        """Whether all that it is about is known."""
        return self.job.state is not JobState.PREPARING

    @property
    def steps(self) -> tuple[tuple[Step, str], ...]:
        """What may be asked of it now, each with its label."""
        return tuple((step, LABELS[step]) for step in Step if self._allows(step))

    def _allows(self, step: Step) -> bool:
        """Besides its state, to try again takes something that failed or was left."""
        if step is Step.RETRY_FAILED and not self._has_left_some():
            return False
        return self.job.state in STEPS[step][0]

    def _has_left_some(self) -> bool:
        broken_off = self.job.state is not JobState.CANCELLED and self.pending > 0
        return self.job.started_at is not None and (self.job.counts.failed > 0 or broken_off)
