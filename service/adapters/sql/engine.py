"""Engines for the two databases, set up so that what was answered with yes is on the disk."""

from __future__ import annotations

import select
import sqlite3

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from service.core.errors import Misconfigured

POOL_SIZE = 5
MAX_OVERFLOW = 15
"""Connections beyond the pool, closed after use: together half of the threads that serve."""
POOL_TIMEOUT_S = 3.0
CONNECT_TIMEOUT_S = 3
SILENCE_TIMEOUT_S = 10
"""How long a server may not answer at all, say behind a cut cable."""
STATEMENT_TIMEOUT_MS = 10_000
IDLE_TRANSACTION_MS = 30_000
"""How long a process that hangs amid a transaction may keep the others from its rows."""
LOCK_WAIT_MS = 10_000
"""How long a writer waits for the others of an SQLite file."""

BEGINS = "metercrop_begins"
"""With what a transaction of SQLite begins; None leaves each statement to itself."""


def engine_for(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://user:password@host/database`.

    Nothing is opened yet. Raises `Misconfigured` `settings.database_url`.
    """
    parsed = _parsed(url)
    match parsed.drivername:
        case "sqlite" if parsed.database not in {None, "", ":memory:"}:
            return _sqlite_engine(parsed)
        case "postgresql" | "postgresql+psycopg" if parsed.database:
            return _postgresql_engine(parsed.set(drivername="postgresql+psycopg"))
    raise _not_understood(f"it names {parsed.drivername} and {parsed.database or 'no database'}")


def for_writing(engine: Engine) -> Engine:
    """The same engine and pool; transactions take the write lock of SQLite as they begin.

    One that reads first and writes then would fail there with "database is locked", at once and
    whatever the waiting time, when another has written in between.
    """
    return engine.execution_options(**{BEGINS: "begin immediate"})


def for_one_snapshot(engine: Engine) -> Engine:
    """The same engine and pool; a transaction's statements all see the same state of the tables.

    Those of SQLite do so anyway.
    """
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def for_one_statement(engine: Engine) -> Engine:
    """The same engine and pool, without a beginning and an end around each statement.

    To PostgreSQL those are two more trips, and to SQLite two more statements.
    """
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{BEGINS: None})
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Without its cause: that may quote a part of the password.
        raise _not_understood("it is no database address") from None


def _not_understood(why: str) -> Misconfigured:
    return Misconfigured(
        "settings.database_url",
        f"METERCROP_DATABASE_URL is not understood: {why}; set it to sqlite:///FILE or to "
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded",
    )


def _postgresql_engine(url: URL) -> Engine:
    theirs = url.query.get("options", "")
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "tcp_user_timeout": SILENCE_TIMEOUT_S * 1000,
            "keepalives_idle": SILENCE_TIMEOUT_S,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "options": f"{theirs} -c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_MS}",
        },
        isolation_level="READ COMMITTED",  # `record` looks again for what others have committed
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_S,
        hide_parameters=True,
    )
    event.listen(engine, "checkout", _require_open)
    return engine


def _require_open(
    connection: psycopg.Connection, _pool_entry: object, _lent_connection: object
) -> None:
    """Makes the pool open another in its place, unless the connection is open.

    The server says nothing unasked: what there is to read is its farewell, the end, or the error
    that keepalives have found. `pool_pre_ping` would ask it, which takes as long as a look-up.
    """
    unasked = select.poll()
    unasked.register(connection.fileno(), select.POLLIN)
    if unasked.poll(0):
        raise DisconnectionError


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": LOCK_WAIT_MS / 1000},
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_timeout=LOCK_WAIT_MS / 1000,
        pool_use_lifo=True,  # each connection's commit makes the others read their pages anew
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _pool_entry: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself: `_begin_sqlite` does
    for pragma in (
        f"busy_timeout = {LOCK_WAIT_MS}",
        "foreign_keys = on",
        "journal_mode = wal",  # readers and the one writer don't wait for each other
        # NORMAL forgets the last commits when the power fails, after their senders were told that
        # the photo is safe and may have deleted it. FULL costs a sync per commit.
        "synchronous = full",
    ):
        connection.execute(f"pragma {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    begins = connection.get_execution_options().get(BEGINS, "begin")
    if begins is not None:
        connection.exec_driver_sql(begins)
