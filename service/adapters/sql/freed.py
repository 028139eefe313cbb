"""What a job freed is only known when the grace of its sources is over."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.adapters.sql.chunk_sums import WITH_BYTES
from service.adapters.sql.tables import JobFreedRow, JobItemRow
from service.adapters.sql.upserts import insert_or_add
from service.core.job import chunk_of


def count_freed(session: Session, photo_id: UUID, freed_bytes: int) -> None:
    """Counts for the job that last made the photo's record; once, and nothing where no job did.

    The caller's transaction has locked the photo's row.
    """
    last = (
        select(JobItemRow.job_id, JobItemRow.number, JobItemRow.freed_bytes)
        .where(
            JobItemRow.photo_id == photo_id,
            JobItemRow.state.in_([state.value for state in WITH_BYTES]),
        )
        .order_by(JobItemRow.finished_at.desc(), JobItemRow.job_id.desc())
        .limit(1)
    )
    item = session.execute(last).first()
    if item is None or item.freed_bytes:
        return
    this = JobItemRow.job_id == item.job_id, JobItemRow.number == item.number
    session.execute(update(JobItemRow).where(*this).values(freed_bytes=freed_bytes))
    more = {
        "job_id": item.job_id,
        "chunk": chunk_of(item.number),
        "freed_bytes": freed_bytes,
    }
    session.execute(insert_or_add(session, JobFreedRow, key=("job_id", "chunk")), more)
