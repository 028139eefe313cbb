"""Sums over the items of a chunk, kept in the transactions that change the items."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from functools import cache
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from service.adapters.sql.job_queries import SUMS
from service.adapters.sql.tables import JobChunkRow
from service.adapters.sql.upserts import insert_or_add
from service.core.job import Item, ItemState

WITH_BYTES = frozenset({ItemState.CROPPED, ItemState.KEPT_ORIGINAL})


def add_new(session: Session, job_id: UUID, items: Iterable[Item]) -> None:
    """Counts items that were added, those that have failed already too."""
    more: dict[int, Counter[str]] = defaultdict(Counter)
    for item in items:
        more[item.chunk]["total"] += 1
        if item.state is not ItemState.PENDING:
            more[item.chunk][item.state.value] += 1
    _add(session, job_id, more)


def add_ended(session: Session, job_id: UUID, items: Iterable[Item]) -> None:
    """Counts items that were pending; one that failed or was skipped adds no bytes."""
    more: dict[int, Counter[str]] = defaultdict(Counter)
    for item in items:
        sums = more[item.chunk]
        sums[item.state.value] += 1
        if item.state in WITH_BYTES:
            sums["original_bytes"] += item.original_bytes
            sums["stored_bytes"] += item.stored_bytes
    _add(session, job_id, more)


def lock_chunks(session: Session, job_id: UUID, numbers: Collection[int] | None = None) -> None:
    """Until the commit nobody else ends items of these chunks, or of all, or retries them.

    Locked in order, so that of two who want the same chunks one waits for the other, never both.
    """
    asked: dict[str, object] = {"this_job": job_id}
    if numbers is not None:
        asked["numbers"] = list(numbers)
    session.execute(_locking(of_all=numbers is None), asked).all()


@cache
def _locking(*, of_all: bool) -> Select[int]:
    chunks = select(JobChunkRow.number).where(JobChunkRow.job_id == bindparam("this_job"))
    if not of_all:
        chunks = chunks.where(JobChunkRow.number.in_(bindparam("numbers", expanding=True)))
    return chunks.order_by(JobChunkRow.number).with_for_update(key_share=True)


def _add(session: Session, job_id: UUID, more: dict[int, Counter[str]]) -> None:
    rows: list[dict[str, object]] = [
        {"job_id": job_id, "number": number, **{name: sums[name] for name in SUMS}}
        for number, sums in sorted(more.items())
    ]
    if rows:
        session.execute(insert_or_add(session, JobChunkRow, key=("job_id", "number")), rows)
