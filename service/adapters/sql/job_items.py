"""Items are added to a job and, where they failed, made pending again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.adapters.sql.chunk_sums import add_new, lock_chunks
from service.adapters.sql.job_mapping import item_columns
from service.adapters.sql.job_queries import in_state
from service.adapters.sql.queries import insert_if_new
from service.adapters.sql.tables import JobChunkRow, JobItemRow, JobRow
from service.adapters.sql.transactions import take_time
from service.adapters.sql.upserts import rows_changed
from service.core.archive import ArchivedObject
from service.core.job import Item, ItemState


def add_items(
    session: Session, job_id: UUID, found: Sequence[ArchivedObject], *, listed_after: str
) -> None:
    """Leaves a gap in the numbers where an object was there already."""
    job = _locked(session, job_id)
    if job is None:
        return
    start = job.next_number
    items = [_new_item(number, each) for number, each in enumerate(found, start)]
    if items:
        rows = [item_columns(job_id, item) for item in items]
        session.execute(insert_if_new(session, JobItemRow), rows)
    added = _numbers(session, job_id, start=start)
    new = [item for item in items if item.number in added]
    add_new(session, job_id, new)
    job.listed_after = listed_after
    job.next_number = max(added, default=start - 1) + 1
    job.found_objects += len(new)
    job.found_bytes += sum(item.object.bytes for item in new)


def retry_failed(session: Session, job_id: UUID) -> int:
    if _locked(session, job_id) is None:
        return 0
    take_time(session)
    # All chunks, not only those with failures, so that both statements speak of the same items.
    lock_chunks(session, job_id)
    with_failures = JobChunkRow.job_id == job_id, JobChunkRow.failed > 0
    rows_changed(session, update(JobChunkRow).where(*with_failures).values(failed=0))
    pending = {
        "state": ItemState.PENDING.value,
        "code": None,
        "message": None,
        "finished_at": None,
    }
    failed = JobItemRow.job_id == job_id, in_state(ItemState.FAILED)
    return rows_changed(session, update(JobItemRow).where(*failed).values(pending))


def _locked(session: Session, job_id: UUID) -> JobRow | None:
    """Until the commit nobody else adds items to this job, or retries them."""
    return session.get(JobRow, job_id, with_for_update={"key_share": True})


def _numbers(session: Session, job_id: UUID, *, start: int) -> set[int]:
    """Of all items from `start` on."""
    there = JobItemRow.job_id == job_id, JobItemRow.number >= start
    return set(session.scalars(select(JobItemRow.number).where(*there)))


def _new_item(number: int, found: ArchivedObject) -> Item:
    if found.etag:
        return Item(number, found)
    return Item(
        number,
        found,
        ItemState.FAILED,
        code="object.gone",
        message="it was not there, or not to be looked at, when the list was made; "
        "see to it and name it in another job",
        finished_at=datetime.now(UTC),
    )
