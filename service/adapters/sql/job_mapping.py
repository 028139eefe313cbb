"""Jobs, their items and workers as rows, and back, whole both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from service.adapters.sql.tables import JobRow, WorkerRow
from service.core.archive import ArchivedObject
from service.core.job import (
    Forecast,
    Item,
    ItemState,
    Job,
    JobCounts,
    JobPlan,
    JobState,
    Mode,
    Worker,
)


def job_columns(job: Job) -> dict[str, object]:
    """The values of a row of `jobs`, by column; counts and bytes are sums over its chunks."""
    return {
        "id": job.id,
        "state": job.state.value,
        "attempt": job.attempt,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "error": plain(job.error),
        **_plan_columns(job.plan),
        "listed_after": job.listed_after,
        "found_objects": job.found_objects,
        "found_bytes": job.found_bytes,
        "next_number": 0,
        "forecast": None if job.forecast is None else asdict(job.forecast),
    }


def job_of(row: JobRow, sums: Mapping[str, int]) -> Job:
    """`sums` over its chunks, by the name of the field."""
    counts = {field.name: sums[field.name] for field in fields(JobCounts)}
    return Job(
        id=row.id,
        plan=_plan_of(row),
        state=JobState(row.state),
        created_at=row.created_at,
        attempt=row.attempt,
        counts=JobCounts(**counts),
        original_bytes=sums["original_bytes"],
        stored_bytes=sums["stored_bytes"],
        freed_bytes=sums["freed_bytes"],
        found_objects=row.found_objects,
        found_bytes=row.found_bytes,
        listed_after=row.listed_after,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
        forecast=_forecast_of(row.forecast),
    )


def item_columns(job_id: UUID, item: Item) -> dict[str, object]:
    """The values of a row of `job_items`, by column."""
    return {
        "job_id": job_id,
        "number": item.number,
        "root": item.object.root,
        "key": item.object.key,
        "version_id": item.object.version_id,
        "etag": item.object.etag,
        "listed_bytes": item.object.bytes,
        "modified_at": item.object.modified_at,
        **end_columns(item),
    }


def end_columns(item: Item) -> dict[str, object]:
    """Those that tell what became of it."""
    return {
        "state": item.state.value,
        "code": item.code,
        "message": plain(item.message),
        "original_bytes": item.original_bytes,
        "stored_bytes": item.stored_bytes,
        "context_bytes": item.context_bytes,
        "freed_bytes": item.freed_bytes,
        "stored_key": item.stored_key,
        "photo_id": item.photo_id,
        "finished_at": item.finished_at,
    }


def item_of(row: Row[*tuple[Any, ...]]) -> Item:
    """Of a row with all columns of `job_items`: plain ones, as reports read millions."""
    return Item(
        number=row.number,
        object=ArchivedObject(
            row.root, row.key, row.listed_bytes, row.etag, row.version_id, row.modified_at
        ),
        state=ItemState(row.state),
        code=row.code,
        message=row.message,
        original_bytes=row.original_bytes,
        stored_bytes=row.stored_bytes,
        context_bytes=row.context_bytes,
        freed_bytes=row.freed_bytes,
        stored_key=row.stored_key,
        photo_id=row.photo_id,
        finished_at=row.finished_at,
    )


def worker_columns(worker: Worker) -> dict[str, object]:
    """The values of a row of `workers`, by column."""
    return asdict(worker)


def worker_of(row: WorkerRow) -> Worker:
    return Worker(row.id, row.host, row.started_at, row.seen_at)


def plain(text: str | None) -> str | None:
    """As both databases take it: what is told of an error may quote anybody's bytes."""
    if text is None:
        return None
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _plan_columns(plan: JobPlan) -> dict[str, object]:
    folders = None if plan.folders is None else list(plan.folders)
    return {**asdict(plan), "mode": plan.mode.value, "folders": folders}


def _plan_of(row: JobRow) -> JobPlan:
    return JobPlan(
        source=row.source,
        manifest=row.manifest,
        mode=Mode(row.mode),
        destination=row.destination,
        dry_run=row.dry_run,
        sample=row.sample,
        confirm=row.confirm,
        max_failed_fraction=row.max_failed_fraction,
        priority=row.priority,
        max_per_second=row.max_per_second,
        keep_originals_days=row.keep_originals_days,
        folders=None if row.folders is None else tuple(row.folders),
    )


def _forecast_of(kept: Mapping[str, Any] | None) -> Forecast | None:
    if kept is None:
        return None
    return Forecast(*(kept[field.name] for field in fields(Forecast)))
