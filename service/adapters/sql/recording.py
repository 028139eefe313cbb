"""What is written with a new photo: the beginning of its history, and its share of the sums."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, Dialect, bindparam, insert

from service.adapters.sql.history import recorded_columns
from service.adapters.sql.prepared import Prepared
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
    told = {**recorded_columns(record), **added_columns(record)}
    for statement in _telling(connection.dialect):
        statement.run(connection, told)


@cache
def _telling(dialect: Dialect) -> tuple[Prepared, ...]:
    event = insert(table_of(PhotoEventRow)).values({name: bindparam(name) for name in EVENT})
    change = insert(table_of(SavingsChangeRow)).inline()
    change = change.values({name: bindparam(name) for name in CHANGE})
    if dialect.name == "sqlite":
        return Prepared.of(event, dialect), Prepared.of(change, dialect)
    return (Prepared.of(change.add_cte(event.cte("told")), dialect),)
