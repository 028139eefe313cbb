"""Sessions and connections of one transaction each, for those who read and those who write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from service.adapters.sql.engine import for_one_snapshot, for_one_statement, for_writing
from service.adapters.sql.failures import database_failures


class Transactions:
    """On an engine of `engine_for`. Each is committed with its `with`, or undone by what it raises.

    Raises `Unavailable` where the database fails.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._looking_engine = for_one_statement(engine)
        self._writing_engine = for_writing(engine)
        self._snapshot_engine = for_one_snapshot(self._writing_engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with database_failures(self._engine.url), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """For a single statement that reads; many of them a second, so without a session."""
        with database_failures(self._engine.url), self._looking_engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Session]:
        engine = self._writing_engine
        with database_failures(engine.url), Session(engine) as session, session.begin():
            yield session

    @contextmanager
    def adding(self) -> Iterator[Connection]:
        """For writing what each upload writes; a session would take longer than the database."""
        with database_failures(self._engine.url), self._writing_engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """For writing; all its statements see what was committed before the first of them.

        What others have changed since it can't write: then the database refuses, as `Unavailable`.
        """
        engine = self._snapshot_engine
        with database_failures(engine.url), Session(engine) as session, session.begin():
            yield session


def take_time(session: Session) -> None:
    """For what touches millions of rows, or none by an index; SQLite sets no limit."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("set local statement_timeout = 0"))


def may_rest(session: Session) -> None:
    """For what keeps its view or its turn while others work, and locks no rows meanwhile."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("set local idle_in_transaction_session_timeout = 0"))
