"""Writes of many rows, and inserts that know what to do with a row that is there."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Delete, Table, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.adapters.sql.tables import Base


def table_of(table: type[Base]) -> Table:
    """For many rows at once, without what the session does for each."""
    return table.metadata.tables[table.__tablename__]


def insert_into(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert to which what is to happen with a row that is there can be added."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def rows_changed(session: Session, statement: Update | Delete) -> int:
    return session.connection().execute(statement).rowcount


def insert_or_replace(
    session: Session, table: type[Base], *, key: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    """What is not `key` of a row that is there becomes what the new one has."""
    return _replacing(session.get_bind().dialect.name, table_of(table), key)


def insert_or_add(
    session: Session, table: type[Base], *, key: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    """The numbers of the new row are added to those of a row that is there."""
    return _adding(session.get_bind().dialect.name, table_of(table), key)


@cache  # to build one takes as long as to run it
def _replacing(
    dialect: str, table: Table, key: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    insert = insert_into(dialect, table)
    rest = {name: insert.excluded[name] for name in _names(table) if name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=rest)


@cache
def _adding(dialect: str, table: Table, key: tuple[str, ...]) -> sqlite.Insert | postgresql.Insert:
    insert = insert_into(dialect, table)
    sums = {
        name: table.c[name] + insert.excluded[name] for name in _names(table) if name not in key
    }
    return insert.on_conflict_do_update(index_elements=key, set_=sums)


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]
