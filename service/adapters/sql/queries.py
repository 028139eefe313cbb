"""What the ledger asks, as statements; nothing here talks to a database."""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    case,
    false,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.adapters.sql.cursor import position_of
from service.adapters.sql.tables import Base, PhotoRow
from service.core.record import PhotoFilter, Status


def insert_if_new(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert that leaves a row which is there, under any of its unique keys, as it is."""
    into = table.metadata.tables[table.__tablename__]
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(into).on_conflict_do_nothing()
    return postgresql.insert(into).on_conflict_do_nothing()


def insert_or_lock(
    session: Session, table: type[Base], *, key: str
) -> sqlite.Insert | postgresql.Insert:
    """An insert that leaves a row with the same `key` as it is, and locks it until the commit.

    A row that is locked can't be deleted, so whoever inserted nothing finds it for certain. An
    update whose condition is false writes nothing, and PostgreSQL locks the row all the same.
    """
    into = table.metadata.tables[table.__tablename__]
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    adding = insert(into)
    unchanged = {key: adding.excluded[key]}
    return adding.on_conflict_do_update(index_elements=[key], set_=unchanged, where=false())


def newest_first(where: PhotoFilter, *, cursor: str | None) -> Select[PhotoRow]:
    """The rows that `where` selects, those after `cursor`; an unreadable one is rejected."""
    query = select(PhotoRow).where(*conditions(where))
    if cursor is not None:
        received_at, photo_id = position_of(cursor)
        position = tuple_(PhotoRow.received_at, PhotoRow.id)
        query = query.where(
            position
            < tuple_(
                literal(received_at, PhotoRow.received_at.type), literal(photo_id, PhotoRow.id.type)
            )
        )
    return query.order_by(PhotoRow.received_at.desc(), PhotoRow.id.desc())


def totals_of(
    where: PhotoFilter, *, min_billable_bytes: int
) -> Select[int, int, int, int, int, int, int]:
    """One row, in the order of the fields of `SavingsTotals`."""
    cropped = PhotoRow.status == Status.CROPPED.value
    retained = PhotoRow.retained_key.is_not(None)
    billed_original = _at_least(min_billable_bytes, PhotoRow.original_bytes)
    billed_stored = _at_least(min_billable_bytes, PhotoRow.stored_bytes)
    billable_saved = case((retained, 0), else_=billed_original) - billed_stored
    return select(
        func.count(),
        func.count().filter(cropped),
        func.count().filter(~cropped),
        _sum(PhotoRow.original_bytes),
        _sum(PhotoRow.stored_bytes),
        _sum(case((retained, PhotoRow.original_bytes), else_=0)),
        _sum(billable_saved),
    ).where(*conditions(where))


def conditions(where: PhotoFilter) -> list[ColumnElement[bool]]:
    """One for each field of `where` that is set."""
    equal = {
        PhotoRow.meter_id: where.meter_id,
        PhotoRow.site: where.site,
        PhotoRow.status: where.status,
        PhotoRow.reason: where.reason,
    }
    asked = [column == value for column, value in equal.items() if value is not None]
    if where.from_ is not None:
        asked.append(PhotoRow.received_at >= where.from_)
    if where.to is not None:
        asked.append(PhotoRow.received_at < where.to)
    return asked


def _at_least(minimum: int, value: SQLColumnExpression[int]) -> ColumnElement[int]:
    return case((value < minimum, minimum), else_=value)


def _sum(value: SQLColumnExpression[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(value), 0)
