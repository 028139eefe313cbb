"""Batch jobs: what was asked for, how far it is, and which step may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service.core.archive import ArchivedObject
from service.core.record import Record

CHUNK_ITEMS = 256
"""What a worker takes on at once, of a job's first items: short jobs are shared out finely."""
FINE_CHUNKS = 32
LATER_CHUNK_ITEMS = 1024
"""Of all the others: taking on a chunk costs as much as many a small object."""
FINE_ITEMS = FINE_CHUNKS * CHUNK_ITEMS


def chunk_of(number: int) -> int:
    """The chunk that the item with this number is in."""
    if number < FINE_ITEMS:
        return number // CHUNK_ITEMS
    return FINE_CHUNKS + (number - FINE_ITEMS) // LATER_CHUNK_ITEMS


def numbers_in(chunk: int) -> range:
    """Those of the chunk's items, as many as it can have."""
    if chunk < FINE_CHUNKS:
        return range(chunk * CHUNK_ITEMS, (chunk + 1) * CHUNK_ITEMS)
    first = FINE_ITEMS + (chunk - FINE_CHUNKS) * LATER_CHUNK_ITEMS
    return range(first, first + LATER_CHUNK_ITEMS)


class Mode(StrEnum):
    COPY = "copy"
    """Crops and kept originals go to the destination; the source is not touched."""
    REPLACE = "replace"
    """The crop is stored, read back and compared; then the source is due for deletion."""


class JobState(StrEnum):
    PREPARING = "preparing"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETE = "complete"
    FAILED = "failed"


class Step(StrEnum):
    """What people ask of a job."""

    CONFIRM = "confirm"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY_FAILED = "retry-failed"


STEPS: Mapping[Step, tuple[frozenset[JobState], JobState]] = {
    Step.CONFIRM: (frozenset({JobState.AWAITING_CONFIRMATION}), JobState.READY),
    Step.PAUSE: (frozenset({JobState.READY, JobState.RUNNING}), JobState.PAUSED),
    Step.RESUME: (frozenset({JobState.PAUSED}), JobState.READY),
    Step.CANCEL: (
        frozenset(
            {
                JobState.PREPARING,
                JobState.AWAITING_CONFIRMATION,
                JobState.READY,
                JobState.RUNNING,
                JobState.PAUSED,
            }
        ),
        JobState.CANCELLING,
    ),
    Step.RETRY_FAILED: (
        frozenset({JobState.COMPLETE, JobState.FAILED, JobState.CANCELLED}),
        JobState.READY,
    ),
}
"""For each step the states that it may be asked in, and the state that follows."""

ENDED = frozenset({JobState.COMPLETE, JobState.FAILED, JobState.CANCELLED})
FOR_WORKERS = frozenset({JobState.PREPARING, JobState.READY, JobState.RUNNING, JobState.CANCELLING})
"""States in which a worker has something to do."""


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What was asked for. `source`, `manifest` or both are set.

    With both, the manifest's keys that have no address of their own are below the source's root.
    Addresses are `s3://bucket/prefix` or `file:///folder`. `sample` takes that many objects at
    random instead of all; with `confirm` the job waits for a yes once its list is frozen.
    """

    source: str | None
    manifest: str | None
    mode: Mode
    destination: str
    """Empty: beside the source in `replace`, below `archive/` in the service's store in `copy`."""
    dry_run: bool = False
    sample: int | None = None
    confirm: bool = False
    max_failed_fraction: float = 0.1
    priority: int = 0
    """Jobs of a higher one go first."""
    max_per_second: float | None = None
    """Objects a second, over all workers."""
    keep_originals_days: int = 30
    """In `replace`: how long a source stays after its crop was stored."""
    folders: tuple[str, ...] | None = None
    """What `file:///` addresses have to lie in, also those in a manifest; None is anywhere."""


@dataclass(frozen=True, slots=True)
class JobCounts:
    total: int = 0
    cropped: int = 0
    kept_original: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def finished(self) -> int:
        return self.cropped + self.kept_original + self.failed + self.skipped

    @property
    def pending(self) -> int:
        return self.total - self.finished


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a dry run expects of the whole source; bounds are of 95 % confidence."""

    sampled: int
    objects: int
    original_bytes: int
    saved_fraction: float
    saved_fraction_low: float
    saved_fraction_high: float
    kept_fraction: float
    failed_fraction: float
    money_per_month: float
    duration_s: float
    """On one worker such as the one that made the dry run."""
    transferred_bytes: int
    """Sources read, crops written and read back."""


@dataclass(frozen=True, slots=True)
class Job:
    id: UUID
    plan: JobPlan
    state: JobState
    created_at: datetime
    attempt: int = 0
    """Counts the times that it was set going; a new one leaves workers of the old one behind."""
    counts: JobCounts = field(default_factory=JobCounts)
    original_bytes: int = 0
    stored_bytes: int = 0
    freed_bytes: int = 0
    found_objects: int = 0
    """What the source holds; with `sample` more than `counts.total`."""
    found_bytes: int = 0
    listed_after: str = ""
    """Where preparing goes on after a crash: the last key of the source, or lines of a manifest."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    forecast: Forecast | None = None


class ItemState(StrEnum):
    PENDING = "pending"
    CROPPED = "cropped"
    KEPT_ORIGINAL = "kept_original"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a job, and what became of it.

    `code` is the reason of a kept original (`low_confidence`, ...), of a skipped one
    (`already_done`, ...) or the error of a failed one (`photo.corrupt`, `object.changed`, ...).
    """

    number: int
    object: ArchivedObject
    state: ItemState = ItemState.PENDING
    code: str | None = None
    message: str | None = None
    original_bytes: int = 0
    stored_bytes: int = 0
    """With the context picture's."""
    context_bytes: int = 0
    freed_bytes: int = 0
    stored_key: str | None = None
    photo_id: UUID | None = None
    finished_at: datetime | None = None

    @property
    def chunk(self) -> int:
        return chunk_of(self.number)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An item at its end, and the record that is to be kept in the same transaction.

    With `supersedes` the record takes the place of the earlier one with its id, which was made by
    another model or other rules.
    """

    item: Item
    record: Record | None = None
    supersedes: bool = False


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """For the contact sheet of a dry run: the photo, small, with region and box drawn in."""

    number: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that runs jobs, as its heartbeat tells."""

    id: str
    host: str
    started_at: datetime
    seen_at: datetime
