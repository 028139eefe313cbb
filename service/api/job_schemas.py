"""What is asked and answered about batch jobs, field by field in the interface's order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api.job_examples import JOB, JOB_REQUEST
from service.api.queries import MAX_PAGE, Name, Query
from service.api.schemas import MONEY_DIGITS, Answer
from service.core.job import Forecast, Item, ItemState, Job, JobCounts, JobState, Mode
from service.ports import ItemPage, JobPage
from service.usecases.jobs import (
    MAX_ADDRESS_CHARS,
    MAX_GRACE_DAYS,
    MAX_PRIORITY,
    MAX_SAMPLE,
    JobRequest,
    eta_s,
)

S3 = "s3://"
DIGITS = 6
"""Of shares and seconds in a forecast: finer than any sample tells."""

Address = Annotated[str, Field(min_length=1, max_length=MAX_ADDRESS_CHARS)]


class JobBody(BaseModel):
    """Exactly one of `source` and `manifest` is to be sent."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [JOB_REQUEST]},
    )

    source: Address | None = None
    """An archive: s3://bucket/prefix or file:///folder, nothing percent-encoded."""
    manifest: Address | None = None
    """A list of objects: a CSV of bucket, key and version, a plain list, or S3 Inventory's CSV."""
    mode: Mode = Mode.COPY
    """copy leaves the source as it is; replace makes it due for deletion once its crop is safe."""
    destination: Address | None = None
    """Where the crops go, under their sources' keys; null: beside the source in replace, into
    the service's own store in copy."""
    dry_run: bool = False
    """Nothing is written; the job ends with a forecast."""
    sample: Annotated[int, Field(ge=1, le=MAX_SAMPLE)] | None = None
    """So many objects at random instead of all; null: all, but 400 in a dry run."""
    confirm: bool = False
    """Whether the job waits for a yes once its list is frozen."""
    max_failed_fraction: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 0.1
    """The job stops once a larger share of its items has failed."""
    priority: Annotated[int, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY)] = 0
    """Jobs of a higher one go first."""
    max_per_second: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    """Objects a second, over all workers; null: as fast as they can."""
    keep_originals_days: Annotated[int, Field(ge=0, le=MAX_GRACE_DAYS)] | None = None
    """In replace: how long a source stays after its crop was stored; null: the service's own."""

    @property
    def request(self) -> JobRequest:
        return JobRequest(**dict(self))


class CountsAnswer(Answer):
    total: int
    cropped: int
    kept_original: int
    failed: int
    skipped: int

    @classmethod
    def of(cls, counts: JobCounts) -> Self:
        return cls(
            total=counts.total,
            cropped=counts.cropped,
            kept_original=counts.kept_original,
            failed=counts.failed,
            skipped=counts.skipped,
        )


class ForecastAnswer(Answer):
    """What a dry run expects of the whole source; low and high are bounds of 95 % confidence."""

    saved_fraction: float
    saved_fraction_low: float
    saved_fraction_high: float
    kept_fraction: float
    money_per_month: float
    duration_s: float
    """On one worker such as the one that made the dry run."""
    failed_fraction: float
    sampled: int
    objects: int
    original_bytes: int
    transferred_bytes: int
    """Sources read, crops written, and read back in `replace`."""

    @classmethod
    def of(cls, forecast: Forecast) -> Self:
        return cls(
            saved_fraction=round(forecast.saved_fraction, DIGITS),
            saved_fraction_low=round(forecast.saved_fraction_low, DIGITS),
            saved_fraction_high=round(forecast.saved_fraction_high, DIGITS),
            kept_fraction=round(forecast.kept_fraction, DIGITS),
            money_per_month=round(forecast.money_per_month, MONEY_DIGITS),
            duration_s=round(forecast.duration_s, DIGITS),
            failed_fraction=round(forecast.failed_fraction, DIGITS),
            sampled=forecast.sampled,
            objects=forecast.objects,
            original_bytes=forecast.original_bytes,
            transferred_bytes=forecast.transferred_bytes,
        )


class JobAnswer(Answer):
    """A batch job."""

    model_config = ConfigDict(json_schema_extra={"examples": [JOB]})

    id: UUID
    state: JobState
    mode: Mode
    dry_run: bool
    counts: CountsAnswer
    original_bytes: int
    stored_bytes: int
    freed_bytes: int
    """What is really no longer stored: sources in grace still cost."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    eta_s: float | None
    """Seconds until it ends if it goes on as before; null unless it runs and something is done."""
    error: str | None
    source: str | None
    manifest: str | None
    destination: str | None
    sample: int | None
    confirm: bool
    max_failed_fraction: float
    priority: int
    max_per_second: float | None
    keep_originals_days: int
    found_objects: int
    """What the source holds; with a sample more than the job's items."""
    found_bytes: int
    forecast: ForecastAnswer | None
    """Of a dry run that has ended."""

    @classmethod
    def of(cls, job: Job, *, at: datetime) -> Self:
        plan, seconds = job.plan, eta_s(job, at=at)
        return cls(
            id=job.id,
            state=job.state,
            mode=plan.mode,
            dry_run=plan.dry_run,
            counts=CountsAnswer.of(job.counts),
            original_bytes=job.original_bytes,
            stored_bytes=job.stored_bytes,
            freed_bytes=job.freed_bytes,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            eta_s=None if seconds is None else round(seconds, 1),
            error=job.error,
            source=plan.source,
            manifest=plan.manifest,
            destination=plan.destination or None,
            sample=plan.sample,
            confirm=plan.confirm,
            max_failed_fraction=plan.max_failed_fraction,
            priority=plan.priority,
            max_per_second=plan.max_per_second,
            keep_originals_days=plan.keep_originals_days,
            found_objects=job.found_objects,
            found_bytes=job.found_bytes,
            forecast=None if job.forecast is None else ForecastAnswer.of(job.forecast),
        )


class JobPageAnswer(Answer):
    items: list[JobAnswer]
    next_cursor: str | None
    """Send it as `cursor` for the next page; null on the last."""

    @classmethod
    def of(cls, page: JobPage, *, at: datetime) -> Self:
        return cls(
            items=[JobAnswer.of(job, at=at) for job in page.jobs], next_cursor=page.next_cursor
        )


class ItemAnswer(Answer):
    """An object of a job, and what became of it."""

    number: int
    bucket: str
    """Of an archive that is a folder: the folder's address."""
    key: str
    version: str | None
    etag: str | None
    state: ItemState
    reason: str | None
    """Why a photo was kept as it was, or an object skipped."""
    error: str | None
    """The code of what made it fail."""
    message: str | None
    original_bytes: int
    stored_bytes: int
    freed_bytes: int
    stored_key: str | None
    photo_id: UUID | None
    finished_at: datetime | None

    @classmethod
    def of(cls, item: Item) -> Self:
        found, failed = item.object, item.state is ItemState.FAILED
        return cls(
            number=item.number,
            bucket=found.root.removeprefix(S3),
            key=found.key,
            version=found.version_id or None,
            etag=found.etag or None,
            state=item.state,
            reason=None if failed else item.code,
            error=item.code if failed else None,
            message=item.message,
            original_bytes=item.original_bytes,
            stored_bytes=item.stored_bytes,
            freed_bytes=item.freed_bytes,
            stored_key=item.stored_key,
            photo_id=item.photo_id,
            finished_at=item.finished_at,
        )


class ItemPageAnswer(Answer):
    items: list[ItemAnswer]
    next_cursor: str | None
    """Send it as `cursor` for the next page; null on the last."""

    @classmethod
    def of(cls, page: ItemPage) -> Self:
        return cls(items=[ItemAnswer.of(item) for item in page.items], next_cursor=page.next_cursor)


class JobQuery(Query):
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Name | None = None
    """The `next_cursor` of the page before."""


class ItemQuery(JobQuery):
    state: ItemState | None = None
