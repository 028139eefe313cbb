"""What the ledger asks, as statements; nothing here talks to a database."""

from __future__ import annotations

from functools import cache

from sqlalchemy import (
    ColumnElement,
    Select,
    false,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.adapters.sql.cursor import position_of
from service.adapters.sql.tables import Base, PhotoRow
from service.adapters.sql.upserts import insert_into, table_of
from service.core.record import PhotoFilter


def insert_if_new(session: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An insert that leaves a row which is there, under any of its unique keys, as it is."""
    return _if_new(session.get_bind().dialect.name, table)


@cache
def insert_or_lock(
    dialect: str, table: type[Base], *, key: str
) -> sqlite.Insert | postgresql.Insert:
    """An insert that leaves a row with the same `key` as it is, and locks it until the commit.

    A row that is locked can't be deleted, so whoever inserted nothing finds it for certain. An
    update whose condition is false writes nothing, and PostgreSQL locks the row all the same.
    """
    adding = insert_into(dialect, table_of(table))
    unchanged = {key: adding.excluded[key]}
    return adding.on_conflict_do_update(index_elements=[key], set_=unchanged, where=false())


@cache  # to build one takes as long as to run it
def _if_new(dialect: str, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    return insert_into(dialect, table_of(table)).on_conflict_do_nothing()


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
