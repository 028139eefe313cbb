"""Histories of photos in `photo_events`; each entry is written with the change that it tells of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.adapters.sql.mapping import record_of
from service.adapters.sql.tables import PhotoEventRow, PhotoRow
from service.adapters.sql.upserts import table_of
from service.core.history import (
    Details,
    Event,
    HistoryEntry,
    Told,
    account_of,
    next_entry,
    recorded,
    recorded_before,
)
from service.core.record import Record


def append(
    session: Session, photo_id: UUID, event: Event, details: Details, *, at: datetime
) -> None:
    """Writes the next entry; call it before the row of the photo is changed or deleted.

    A photo whose row has no history yet gets its first entry from that row. The row stays locked
    until the commit, so that of two who append one waits for the other.
    """
    row = locked_photo(session, photo_id)
    before = None if row is None else record_of(row)
    _append(session, photo_id, Told(event, details, at), before=before)


def append_recorded(session: Session, records: Iterable[Record]) -> None:
    """The first entries of records that this transaction has inserted."""
    first = [recorded_columns(record) for record in records]
    if first:
        session.connection().execute(insert(table_of(PhotoEventRow)), first)


def recorded_columns(record: Record) -> dict[str, object]:
    """Of such a first entry."""
    return _columns(next_entry(None, record.id, recorded(record)))


def append_superseded(session: Session, before: Record, after: Record, *, at: datetime) -> None:
    """That `after` took the place of `before`; it may be called on either side of the update."""
    locked_photo(session, before.id)
    _append(session, before.id, Told(Event.SUPERSEDED, account_of(after), at), before=before)


def history_of(session: Session, photo_id: UUID) -> tuple[HistoryEntry, ...]:
    """From the first entry on."""
    in_order = (
        select(PhotoEventRow)
        .where(PhotoEventRow.photo_id == photo_id)
        .order_by(PhotoEventRow.number)
    )
    return tuple(_entry_of(row) for row in session.scalars(in_order))


def locked_photo(session: Session, photo_id: UUID) -> PhotoRow | None:
    """The row as it is now, which nobody else can change before the commit.

    SQLite has one writer at a time anyway.
    """
    return session.get(
        PhotoRow, photo_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _append(session: Session, photo_id: UUID, told: Told, *, before: Record | None) -> None:
    last = _last_of(session, photo_id)
    if last is None and before is not None:
        last = next_entry(None, photo_id, recorded_before(before))
        session.execute(insert(PhotoEventRow), _columns(last))
    session.execute(insert(PhotoEventRow), _columns(next_entry(last, photo_id, told)))


def _columns(entry: HistoryEntry) -> dict[str, object]:
    return {each.name: getattr(entry, each.name) for each in fields(entry)}


def _last_of(session: Session, photo_id: UUID) -> HistoryEntry | None:
    newest_first = (
        select(PhotoEventRow)
        .where(PhotoEventRow.photo_id == photo_id)
        .order_by(PhotoEventRow.number.desc())
        .limit(1)
    )
    row = session.scalar(newest_first)
    return None if row is None else _entry_of(row)


def _entry_of(row: PhotoEventRow) -> HistoryEntry:
    return HistoryEntry(
        photo_id=row.photo_id,
        number=row.number,
        at=row.at,
        event=row.event,
        details=row.details,
        previous_sha256=row.previous_sha256,
        sha256=row.sha256,
    )
