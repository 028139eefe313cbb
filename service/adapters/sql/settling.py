"""Outcomes end their items and bring their records, once, whoever sends them how often."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from uuid import UUID

from sqlalchemy import Update, bindparam, update
from sqlalchemy.orm import Session

from service.adapters.sql.chunk_sums import WITH_BYTES, add_ended, lock_chunks
from service.adapters.sql.job_mapping import end_columns, item_of, plain
from service.adapters.sql.job_queries import items_where, pending_among
from service.adapters.sql.kept_records import Claim, Owner, keep_records
from service.adapters.sql.tables import JobItemRow
from service.adapters.sql.upserts import table_of
from service.core.job import Item, ItemState, Outcome
from service.core.record import Record
from service.ports import Settled


def settle(session: Session, job_id: UUID, outcomes: Sequence[Outcome]) -> tuple[Settled, ...]:
    lock_chunks(session, job_id, {outcome.item.chunk for outcome in outcomes})
    pending = _pending(session, job_id, [outcome.item.number for outcome in outcomes])
    first: dict[int, Outcome] = {}
    for outcome in outcomes:
        if outcome.item.number in pending:
            first.setdefault(outcome.item.number, outcome)
    owners = keep_records(session, _claims(first))
    ended = {number: _ended(outcome, owners) for number, outcome in sorted(first.items())}
    _write(session, job_id, [settled.item for settled in ended.values()])
    late = {each.item.number for each in outcomes if first.get(each.item.number) is not each}
    now = _items(session, job_id, late)
    return tuple(
        ended[outcome.item.number]
        if first.get(outcome.item.number) is outcome
        else _ended_before(outcome, now.get(outcome.item.number))
        for outcome in outcomes
    )


def _pending(session: Session, job_id: UUID, numbers: Collection[int]) -> set[int]:
    """Those of the items that are still to end; only who holds their chunks can end them."""
    asked = {"this_job": job_id, "numbers": list(numbers)}
    return set(session.scalars(pending_among(), asked))


def _items(session: Session, job_id: UUID, numbers: Collection[int]) -> dict[int, Item]:
    if not numbers:
        return {}
    rows = session.execute(items_where(job_id, JobItemRow.number.in_(numbers)))
    return {row.number: item_of(row) for row in rows}


def _claims(outcomes: Mapping[int, Outcome]) -> dict[str, Claim]:
    """Of items with the same bytes the first one's counts."""
    claims: dict[str, Claim] = {}
    for _, outcome in sorted(outcomes.items()):
        record = outcome.record
        if record is not None:
            at = outcome.item.finished_at or record.received_at
            claim = Claim(record, outcome.supersedes, at)
            claims.setdefault(record.original.sha256, claim)
    return claims


def _ended(outcome: Outcome, owners: Mapping[str, Owner]) -> Settled:
    item, record = replace(outcome.item, message=plain(outcome.item.message)), outcome.record
    if record is None:
        return Settled(item, needless=False)
    owner = owners[record.original.sha256]
    if owner.kept is record:
        kept = replace(item, photo_id=owner.photo_id, stored_key=owner.stored_key)
        return Settled(kept, needless=False)
    return Settled(_already_stored(item, owner), needless=True)


def _already_stored(item: Item, owner: Owner) -> Item:
    return replace(
        item,
        state=ItemState.SKIPPED,
        code="already_stored",
        message="the same bytes were recorded by another, or their record changed meanwhile",
        original_bytes=0,
        stored_bytes=0,
        context_bytes=0,
        freed_bytes=0,
        stored_key=owner.stored_key,
        photo_id=owner.photo_id,
    )


def _write(session: Session, job_id: UUID, items: Sequence[Item]) -> None:
    if not items:
        return
    session.execute(
        _ending(),
        [{"this_job": job_id, "this_number": item.number, **end_columns(item)} for item in items],
    )
    add_ended(session, job_id, items)


@cache
def _ending() -> Update:
    table = table_of(JobItemRow)
    this = table.c.job_id == bindparam("this_job"), table.c.number == bindparam("this_number")
    return update(table).where(*this)


def _ended_before(outcome: Outcome, item: Item | None) -> Settled:
    """By another call, or by this very one whose commit was not confirmed: then it is as it was."""
    record = outcome.record
    if item is None:
        return Settled(outcome.item, needless=record is not None)
    return Settled(item, needless=record is not None and not _tells_of(item, record))


def _tells_of(item: Item, record: Record) -> bool:
    told = item.state in WITH_BYTES and item.photo_id == record.id
    return told and item.stored_key == record.stored.key
