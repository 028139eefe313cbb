"""What the ledger of jobs asks, as statements; nothing here talks to a database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Result,
    ScalarSelect,
    Select,
    SQLColumnExpression,
    Update,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import aliased

from service.adapters.sql.cursor import position_of
from service.adapters.sql.job_mapping import job_of, plain
from service.adapters.sql.tables import JobChunkRow, JobFreedRow, JobItemRow, JobRow
from service.adapters.sql.upserts import table_of
from service.core.job import ENDED, Item, ItemState, Job, JobState, numbers_in

Rows: TypeAlias = Select[*tuple[Any, ...]]

SUMS = (
    "total",
    "cropped",
    "kept_original",
    "failed",
    "skipped",
    "original_bytes",
    "stored_bytes",
)
"""Columns of `job_chunks` that are numbers of its items, or of their bytes."""

NOT_FOR_GOOD = ("photo.unexpected", "photo.too_many_pixels")
"""Refusals that another version or other settings may take back."""


def jobs_where(*conditions: ColumnElement[bool]) -> Rows:
    """Rows for `jobs_of`: the cost is that of a job's chunks, not of its items."""
    sums = (_sum(getattr(JobChunkRow, name)).label(name) for name in SUMS)
    freed = select(_sum(JobFreedRow.freed_bytes)).where(JobFreedRow.job_id == JobRow.id)
    return (
        select(JobRow, *sums, freed.scalar_subquery().label("freed_bytes"))
        .outerjoin(JobChunkRow, JobChunkRow.job_id == JobRow.id)
        .where(*conditions)
        .group_by(JobRow.id)
    )


@cache  # to build one takes as long as to run it, and workers ask all the time
def one_job() -> Rows:
    """The job `this_job`, as rows for `jobs_of`."""
    return jobs_where(JobRow.id == bindparam("this_job"))


@cache
def jobs_in_states() -> Rows:
    """Those in one of `states`, as rows for `jobs_of`: of highest priority first, then oldest."""
    asked = jobs_where(JobRow.state.in_(bindparam("states", expanding=True)))
    return asked.order_by(JobRow.priority.desc(), JobRow.created_at, JobRow.id)


def jobs_of(rows: Result[*tuple[Any, ...]]) -> Iterator[Job]:
    for row in rows:
        # Sums of BIGINT are decimals in PostgreSQL.
        sums = {name: int(getattr(row, name)) for name in (*SUMS, "freed_bytes")}
        yield job_of(row.JobRow, sums)


def newest_jobs(*, limit: int, cursor: str | None) -> Rows:
    """Newest first, those after `cursor`; an unreadable one is rejected."""
    newest = select(JobRow.id).order_by(*_newest_first()).limit(limit)
    if cursor is not None:
        created_at, job_id = position_of(cursor)
        position = tuple_(JobRow.created_at, JobRow.id)
        newest = newest.where(
            position
            < tuple_(literal(created_at, JobRow.created_at.type), literal(job_id, JobRow.id.type))
        )
    return jobs_where(JobRow.id.in_(newest)).order_by(*_newest_first())


def moved(
    job_id: UUID,
    *,
    to: JobState,
    only_from: Collection[JobState],
    at: datetime,
    error: str | None,
) -> Update:
    change: dict[str, object] = {"state": to.value}
    if error is not None:
        change["error"] = plain(error)
    if to is JobState.READY:
        change |= {"attempt": JobRow.attempt + 1, "error": None, "finished_at": None}
    elif to is JobState.RUNNING:
        change["started_at"] = func.coalesce(JobRow.started_at, literal(at, JobRow.created_at.type))
    elif to in ENDED:
        change["finished_at"] = at
    allowed = JobRow.state.in_([state.value for state in only_from])
    return update(JobRow).where(JobRow.id == job_id, allowed).values(change)


@cache
def chunks_with_pending() -> Select[int]:
    """Numbers of the first `most` of the job `this_job`, in order."""
    ended = (
        JobChunkRow.cropped + JobChunkRow.kept_original + JobChunkRow.failed + JobChunkRow.skipped
    )
    chunks = select(JobChunkRow.number).where(JobChunkRow.job_id == bindparam("this_job"))
    in_order = chunks.where(JobChunkRow.total > ended).order_by(JobChunkRow.number)
    return in_order.limit(bindparam("most"))


@cache
def pending_among() -> Select[int]:
    """Those of `numbers` whose items of the job `this_job` are still to end."""
    items = select(JobItemRow.number).where(JobItemRow.job_id == bindparam("this_job"))
    asked = JobItemRow.number.in_(bindparam("numbers", expanding=True))
    return items.where(in_state(ItemState.PENDING), asked)


def items_where(job_id: UUID, *conditions: ColumnElement[bool]) -> Rows:
    """In order, with all their columns as `item_of` reads them."""
    of_job = JobItemRow.job_id == job_id
    columns = table_of(JobItemRow).columns
    return select(*columns).where(of_job, *conditions).order_by(JobItemRow.number)


def in_state(state: ItemState) -> ColumnElement[bool]:
    return JobItemRow.state == state.value


def in_chunk(chunk: int) -> ColumnElement[bool]:
    numbers = numbers_in(chunk)
    return JobItemRow.number.between(numbers[0], numbers[-1])


def after_number(number: int) -> ColumnElement[bool]:
    return JobItemRow.number > number


def earlier_outcomes(items: Collection[Item], *, not_of: UUID) -> Rows:
    """All columns of the last outcome for each of the items, and `asked`, the item's number."""
    asked, earlier = aliased(JobItemRow), aliased(JobItemRow)
    columns = (getattr(earlier, column.name) for column in table_of(JobItemRow).columns)
    return (
        select(asked.number.label("asked"), *columns)
        .join(earlier, and_(_same_object(earlier, asked), earlier.job_id == _last_job(asked)))
        .where(asked.job_id == not_of, asked.number.in_([item.number for item in items]))
    )


def _last_job(asked: type[JobItemRow]) -> ScalarSelect[UUID]:
    """The newest job with an outcome for the very same object, dry runs left out.

    Ids of jobs are UUIDv7. So the index leads to the newest first, however many jobs there were.
    """
    told = aliased(JobItemRow)
    unchanged = and_(told.etag == asked.etag, told.listed_bytes == asked.listed_bytes)
    query = select(told.job_id).join(JobRow, and_(JobRow.id == told.job_id, ~JobRow.dry_run))
    query = query.where(_same_object(told, asked), unchanged, told.job_id != asked.job_id)
    return query.where(_tells(told)).order_by(told.job_id.desc()).limit(1).scalar_subquery()


def _same_object(one: type[JobItemRow], other: type[JobItemRow]) -> ColumnElement[bool]:
    return and_(one.key == other.key, one.root == other.root, one.version_id == other.version_id)


def _tells(told: type[JobItemRow]) -> ColumnElement[bool]:
    """Whether the outcome spares another look at the object."""
    done = told.state.in_([ItemState.CROPPED.value, ItemState.KEPT_ORIGINAL.value])
    known = and_(told.state == ItemState.SKIPPED.value, told.photo_id.is_not(None))
    refused = and_(
        told.state == ItemState.FAILED.value,
        told.code.startswith("photo."),
        told.code.not_in(NOT_FOR_GOOD),
    )
    return or_(done, known, refused)


def _sum(column: SQLColumnExpression[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0)


def _newest_first() -> tuple[ColumnElement[Any], ...]:
    return JobRow.created_at.desc(), JobRow.id.desc()
