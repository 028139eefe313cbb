"""Run by Alembic for each of its commands: connects, then runs the steps in one transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from service.adapters.sql import savings_tables  # noqa: F401 - with it Base knows its tables
from service.adapters.sql.engine import engine_for, for_writing
from service.adapters.sql.tables import Base
from service.settings import Settings


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,  # SQLite too: its transactions are begun by our engine
        render_as_batch=connection.dialect.name == "sqlite",  # which alters tables by copying
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_configured_database() -> None:
    """For a developer at the `alembic` command."""
    engine = for_writing(engine_for(Settings().database))
    with engine.begin() as connection:
        run(connection)
    engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    run_on_configured_database()
else:
    run(given)
