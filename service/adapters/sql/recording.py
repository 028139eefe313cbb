"""What is written with a new photo: the beginning of its history, and its share of the sums."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, Insert, bindparam, insert

from service.adapters.sql.history import recorded_columns
from service.adapters.sql.rollup import added_columns
from service.adapters.sql.savings_tables import SavingsChangeRow
from service.adapters.sql.tables import PhotoEventRow
from service.adapters.sql.upserts import table_of
from service.core.record import Record

EVENT = tuple(column.name for column in table_of(PhotoEventRow).columns)
CHANGE = tuple(column.name for column in table_of(SavingsChangeRow).columns if column.name != "id")


def tell_recorded(connection: Connection, record: Record) -> None:
    """As `append_recorded` and `count_changes` would, in one round trip where there are any.

    A round trip to PostgreSQL takes as long as either insert.
    """
    event, change = recorded_columns(record), added_columns(record)
    if connection.dialect.name == "sqlite":
        connection.execute(_event(), event)
        connection.execute(_change(), change)
    else:
        connection.execute(_both(), {**event, **change})


@cache
def _event() -> Insert:
    return insert(table_of(PhotoEventRow)).values({name: bindparam(name) for name in EVENT})


@cache
def _change() -> Insert:
    change = insert(table_of(SavingsChangeRow)).inline()
    return change.values({name: bindparam(name) for name in CHANGE})


@cache
def _both() -> Insert:
    return _change().add_cte(_event().cte("told"))
