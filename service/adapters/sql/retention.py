"""Originals that are still stored beside their crops, as statements.

What an index is to be found by is written out, as SQLite can't know what a parameter will be.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, literal, select, text, tuple_

from service.adapters.sql.tables import PhotoRow
from service.core.record import Record

IN_GRACE = text("photos.retention = 'grace'")
LOCKED = text("photos.retention = 'locked'")


def begun_to_purge(*, after: Record | None) -> Select[PhotoRow]:
    """In the order of their ids."""
    return in_order_of_ids(after).where(IN_GRACE, PhotoRow.retained_until.is_(None))


def grace_over(now: datetime, *, after: Record | None) -> Select[PhotoRow]:
    """Longest ago first."""
    position = tuple_(PhotoRow.retained_until, PhotoRow.id)
    query = select(PhotoRow).where(IN_GRACE, PhotoRow.retained_until <= now)
    if after is not None:
        until = literal(after.original.retained_until, PhotoRow.retained_until.type)
        query = query.where(position > tuple_(until, literal(after.id, PhotoRow.id.type)))
    return query.order_by(PhotoRow.retained_until, PhotoRow.id)


def kept_by_a_lock(*, after: Record | None) -> Select[PhotoRow]:
    """In the order of their ids."""
    return in_order_of_ids(after).where(LOCKED)


def in_order_of_ids(after: Record | None) -> Select[PhotoRow]:
    query = select(PhotoRow).order_by(PhotoRow.id)
    return query if after is None else query.where(PhotoRow.id > after.id)
