"""Jobs, their objects and outcomes, for tests that need some and don't care for the pixels."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from service.core.archive import ArchivedObject
from service.core.history import is_unbroken
from service.core.job import (
    Item,
    ItemState,
    Job,
    JobCounts,
    JobPlan,
    JobState,
    Mode,
    Outcome,
    Worker,
)
from service.core.record import Record, Source
from service.ports import JobLedger, Ledger
from tests.records import NOON, cropped_record

ROOT = "s3://archive"
PLAN = JobPlan(source=f"{ROOT}/2021/", manifest=None, mode=Mode.COPY, destination="")


def new_job(
    *,
    plan: JobPlan = PLAN,
    state: JobState = JobState.PREPARING,
    created_at: datetime = NOON,
) -> Job:
    """A job that is in no ledger yet; later ones have larger ids."""
    return Job(uuid7(), plan, state, created_at)


def archived(
    key: str, *, root: str = ROOT, size: int = 2_000_000, etag: str = "e", version_id: str = ""
) -> ArchivedObject:
    return ArchivedObject(root, key, size, etag, version_id, NOON)


def archive_of(objects: int, *, start: int = 0) -> list[ArchivedObject]:
    """In key order, each with a size and an ETag of its own."""
    return [
        archived(f"2021/{n:08d}.jpg", size=1_000 + n, etag=f"etag {n}")
        for n in range(start, start + objects)
    ]


def job_over(
    ledger: JobLedger, found: Iterable[ArchivedObject], *, plan: JobPlan = PLAN
) -> tuple[Job, list[Item]]:
    """A job that is in the ledger with its items, none of which has ended."""
    job = new_job(plan=plan)
    ledger.create(job)
    ledger.add_items(job.id, list(found), listed_after="")
    return job, list(ledger.every_item(job.id))


def batch_record(
    photo: str, *, stored_key: str | None = None, fingerprint: str = "model 1"
) -> Record:
    """Of the original bytes that `photo` stands for, as a job makes it."""
    record = cropped_record(photo)
    stored = replace(record.stored, key=stored_key or f"{ROOT}-crops/{photo}.jpg")
    sha256 = hashlib.sha256(f"{photo} {fingerprint}".encode()).hexdigest()
    return replace(record, source=Source.BATCH, stored=stored, fingerprint=sha256)


def cropped(item: Item, record: Record, *, supersedes: bool = False) -> Outcome:
    """The item ends with this record."""
    ended = replace(
        item,
        state=ItemState.CROPPED,
        original_bytes=record.original.bytes,
        stored_bytes=record.kept_bytes,
        context_bytes=record.kept_bytes - record.stored.bytes,
        stored_key=record.stored.key,
        photo_id=record.id,
        finished_at=NOON,
    )
    return Outcome(ended, record, supersedes)


def failed(item: Item, code: str = "photo.corrupt", *, message: str = "it is broken") -> Outcome:
    ended = replace(item, state=ItemState.FAILED, code=code, message=message, finished_at=NOON)
    return Outcome(ended)


def skipped(item: Item, record: Record | None = None) -> Outcome:
    """Without a record it tells of no photo."""
    ended = replace(item, state=ItemState.SKIPPED, code="already_done", finished_at=NOON)
    if record is not None:
        ended = replace(ended, photo_id=record.id, stored_key=record.stored.key)
    return Outcome(ended)


def counted(items: Iterable[Item]) -> JobCounts:
    """What a job over exactly these items should say of itself."""
    states = Counter(item.state for item in items)
    return JobCounts(
        total=states.total(),
        cropped=states[ItemState.CROPPED],
        kept_original=states[ItemState.KEPT_ORIGINAL],
        failed=states[ItemState.FAILED],
        skipped=states[ItemState.SKIPPED],
    )


def living_worker() -> Worker:
    """Has told that it lives so late that it does for as long as a test can take."""
    later = datetime.now(UTC) + timedelta(hours=1)
    return Worker("one", "host", later, later)


def current(jobs: JobLedger, job: Job) -> Job:
    """The job as its ledger has it now."""
    found = jobs.job(job.id)
    assert found is not None
    return found


def events_of(photos: Ledger, photo_id: UUID) -> list[str]:
    """What happened to the photo, in order; its history must be unbroken."""
    history = photos.history(photo_id)
    assert is_unbroken(history)
    return [entry.event for entry in history]
