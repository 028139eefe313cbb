"""Batch jobs as people use them: created, found, steered."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from service.core.archive import is_below, object_of, source_of
from service.core.errors import NotFound, RequestRejected
from service.core.job import STEPS, Job, JobPlan, JobState, Mode, Step
from service.ports import JobLedger
from service.usecases.contact_sheet import contact_sheet
from service.usecases.places import OwnStore

MAX_ADDRESS_CHARS = 4_096
MAX_SAMPLE = 10_000
MAX_PRIORITY = 1_000
MAX_GRACE_DAYS = 36_500
DEFAULT_SAMPLE = 400
"""Of a dry run: any share is then known to within five points, with 95 % confidence."""
DEFAULT_GRACE_DAYS = 30
LIVES_S = 30
"""A worker that has been silent for longer is not counted on."""
WITHOUT_WORKER = frozenset({JobState.AWAITING_CONFIRMATION, JobState.PAUSED})
"""States in which no worker looks at a job, so that none would end it."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job as it is asked for; what is None is left to the service."""

    source: str | None = None
    manifest: str | None = None
    mode: Mode = Mode.COPY
    destination: str | None = None
    dry_run: bool = False
    sample: int | None = None
    confirm: bool = False
    max_failed_fraction: float = 0.1
    priority: int = 0
    max_per_second: float | None = None
    keep_originals_days: int | None = None


@dataclass(frozen=True, slots=True)
class JobRules:
    """What the service says to every job."""

    own_store: OwnStore
    keep_originals_days: int = DEFAULT_GRACE_DAYS
    """Of jobs that say nothing of it."""
    folders: tuple[str, ...] | None = None
    """The only ones whose files a job may name; None is any."""


def new_job(asked: JobRequest, rules: JobRules, *, at: datetime) -> Job:
    """The job, which is in no ledger yet.

    Raises `RequestRejected` `field.invalid`, which names the field, and `job.overlap`.
    """
    _check_numbers(asked)
    if asked.source is None and asked.manifest is None:
        raise RequestRejected(
            "field.invalid",
            "source, manifest: one of them says what the job is about; send the address of an "
            "archive as source, or that of a list as manifest",
        )
    _check_address("source", asked.source, source_of)
    _check_address("manifest", asked.manifest, object_of)
    _check_address("destination", asked.destination, source_of)
    if rules.folders is not None:
        _check_folders(asked, rules.folders)
    _check_overlap(asked, rules.own_store)
    return Job(uuid7(), _plan(asked, rules), JobState.PREPARING, at)


def job_of(ledger: JobLedger, job_id: UUID) -> Job:
    """Raises `NotFound` `job.not_found`."""
    job = ledger.job(job_id)
    if job is None:
        raise NotFound("job.not_found", f"there is no job {job_id}; `metercrop jobs` lists all")
    return job


def steered(ledger: JobLedger, job_id: UUID, *, step: Step, at: datetime) -> Job:
    """The job after the step.

    Raises `NotFound` `job.not_found` and, where its state does not allow the step,
    `RequestRejected` `job.wrong_state`.
    """
    allowed, to = STEPS[step]
    before = job_of(ledger, job_id)
    if before.state not in allowed:
        raise _wrong_state(before, step, allowed)
    if step is Step.RETRY_FAILED:
        _retry_failed(ledger, before)
    if not ledger.move(job_id, to=to, only_from=allowed, at=at):
        raise _wrong_state(job_of(ledger, job_id), step, allowed)
    if step is Step.CANCEL and before.state in WITHOUT_WORKER:
        ledger.move(job_id, to=JobState.CANCELLED, only_from={JobState.CANCELLING}, at=at)
    return job_of(ledger, job_id)


def eta_s(job: Job, *, at: datetime) -> float | None:
    """Seconds until the job ends if it goes on as before; None where nothing tells."""
    finished = job.counts.finished
    if job.state is not JobState.RUNNING or job.started_at is None or not finished:
        return None
    passed_s = (at - job.started_at).total_seconds()
    return max(0.0, passed_s) / finished * job.counts.pending


def contact_sheet_of(ledger: JobLedger, job_id: UUID) -> str:
    """A dry run's photos as a page; raises `NotFound`, also `job.no_contact_sheet`."""
    job = job_of(ledger, job_id)
    if not job.plan.dry_run:
        raise NotFound(
            "job.no_contact_sheet",
            f"job {job_id} is no dry run, and only those keep pictures; its report tells of all "
            "objects",
        )
    items = {item.number: item for item in ledger.every_item(job_id)}  # a sample, so not many
    return contact_sheet(job, ledger.sample_pictures(job_id), items)


def live_workers(ledger: JobLedger, *, at: datetime) -> int:
    """How many processes are there to run jobs."""
    since = at - timedelta(seconds=LIVES_S)
    return sum(worker.seen_at >= since for worker in ledger.workers())


def _plan(asked: JobRequest, rules: JobRules) -> JobPlan:
    days = asked.keep_originals_days
    sample = DEFAULT_SAMPLE if asked.dry_run and asked.sample is None else asked.sample
    return JobPlan(
        source=asked.source,
        manifest=asked.manifest,
        mode=asked.mode,
        destination=asked.destination or "",
        dry_run=asked.dry_run,
        sample=sample,
        confirm=asked.confirm,
        max_failed_fraction=asked.max_failed_fraction,
        priority=asked.priority,
        max_per_second=asked.max_per_second,
        keep_originals_days=rules.keep_originals_days if days is None else days,
        folders=rules.folders,
    )


def _check_numbers(asked: JobRequest) -> None:
    _check_range("sample", asked.sample, low=1, high=MAX_SAMPLE)
    _check_range("max_failed_fraction", asked.max_failed_fraction, low=0, high=1)
    _check_range("priority", asked.priority, low=-MAX_PRIORITY, high=MAX_PRIORITY)
    _check_range("keep_originals_days", asked.keep_originals_days, low=0, high=MAX_GRACE_DAYS)
    rate = asked.max_per_second
    if rate is not None and not 0 < rate < math.inf:
        raise RequestRejected("field.invalid", f"max_per_second: must be more than 0, is {rate:g}")


def _check_range(field: str, number: float | None, *, low: int, high: int) -> None:
    if number is not None and not low <= number <= high:
        raise RequestRejected("field.invalid", f"{field}: must be {low} to {high}, is {number:g}")


def _check_address(
    field: str, address: str | None, parsed: Callable[[str], tuple[str, str]]
) -> None:
    if address is None:
        return
    if len(address) > MAX_ADDRESS_CHARS:
        raise RequestRejected(
            "field.invalid",
            f"{field}: has {len(address)} characters; at most {MAX_ADDRESS_CHARS} are read",
        )
    try:
        parsed(address)
    except RequestRejected as error:
        raise RequestRejected("field.invalid", f"{field}: {error}") from error


def _check_folders(asked: JobRequest, folders: Collection[str]) -> None:
    """Whoever may start jobs is not therefore to read and write this machine's disk."""
    addresses = {
        "source": asked.source,
        "manifest": asked.manifest,
        "destination": asked.destination,
    }
    for field, address in addresses.items():
        if address is not None and address.startswith("file://") and not is_below(address, folders):
            raise RequestRejected(
                "field.invalid",
                f"{field}: {address} is in none of the folders that METERCROP_JOB_FOLDERS gives "
                "to jobs asked for over HTTP; set it there, or run `metercrop reprocess` on the "
                "machine itself",
            )


def _check_overlap(asked: JobRequest, own_store: OwnStore) -> None:
    """A job must never find its own crops among its sources, nor take the service's objects."""
    if asked.source is None:
        return
    source, own = _extent(asked.source), f"{own_store.root}/{own_store.prefix}"
    if _meet(source, own):
        raise RequestRejected(
            "job.overlap",
            f"source: {asked.source} and metercrop's own store {own} lie within each other, and "
            "the photos that it keeps must not become sources; name a prefix beside it",
        )
    if not asked.destination:
        return
    destination = f"{_extent(asked.destination).removesuffix('/')}/"
    if _meet(source, destination):
        raise RequestRejected(
            "job.overlap",
            f"destination: {asked.destination} and the source {asked.source} lie within each "
            "other, so crops would be taken for photos; name a place beside the source",
        )


def _extent(address: str) -> str:
    """What the location of every object of that address begins with."""
    root, prefix = source_of(address)
    return f"{root}/{prefix}"


def _meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _retry_failed(ledger: JobLedger, job: Job) -> None:
    """Raises `RequestRejected` `job.wrong_state` where there is nothing to try again.

    Pending items of a job that has ended by itself are as good as failed ones: it broke off, or
    an earlier request to retry did. A job that never ran may lack a part of its list, or the yes
    that it waited for.
    """
    if job.started_at is None:
        raise RequestRejected(
            "job.wrong_state",
            f"job {job.id} is {job.state} and never ran, so nothing of it can be tried again; "
            "create another one",
        )
    retried = ledger.retry_failed(job.id)
    broken_off = job.state is not JobState.CANCELLED and job.counts.pending > 0
    if not retried and not broken_off:
        raise RequestRejected(
            "job.wrong_state", f"job {job.id} is {job.state} and none of its items failed"
        )


def _wrong_state(job: Job, step: Step, allowed: Collection[JobState]) -> RequestRejected:
    possible = ", ".join(state for state in JobState if state in allowed)
    return RequestRejected(
        "job.wrong_state",
        f"job {job.id} is {job.state}; {step} is possible only while a job is {possible}",
    )
