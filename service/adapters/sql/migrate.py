"""Brings a database to the tables of this version."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from service.adapters.sql.engine import for_writing
from service.adapters.sql.failures import database_failures, place
from service.core.errors import Misconfigured

LOCK_KEY = 7_301_546_220
"""Of PostgreSQL's advisory locks; any number, as long as every version uses the same."""


def migrate(engine: Engine) -> None:
    """Upgrades to the newest revision, all or nothing; a missing SQLite file is made.

    Of processes that start at once one works and the others wait, then find nothing to do.
    Raises `Unavailable`, and `Misconfigured` where a newer version made the tables.
    """
    with database_failures(engine.url), for_writing(engine).begin() as connection:
        _wait_for_turn(connection)
        try:
            command.upgrade(migration_config(connection), "head")
        except CommandError as error:
            raise Misconfigured(
                "settings.database_url",
                f"the database {place(engine.url)} is of another version ({error}); "
                "run the newest metercrop that it was ever used with",
            ) from error


def is_current(engine: Engine) -> bool:
    """Whether the tables are those of this version. Raises `Unavailable`."""
    with database_failures(engine.url), engine.begin() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == _heads()


def migration_config(connection: Connection | None = None) -> Config:
    """What Alembic's commands want; with a connection they run in its open transaction."""
    config = Config(attributes={} if connection is None else {"connection": connection})
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _wait_for_turn(connection: Connection) -> None:
    """On SQLite the transaction itself began with the only write lock there is."""
    if connection.dialect.name == "postgresql":
        # An index of millions of rows, or waiting for the one who builds it, takes its time.
        connection.execute(text("set local statement_timeout = 0"))
        connection.execute(text("set local idle_in_transaction_session_timeout = 0"))
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})


@cache
def _heads() -> frozenset[str]:
    return frozenset(ScriptDirectory.from_config(migration_config()).get_heads())
