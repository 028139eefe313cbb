"""The steps lead to the tables that the code knows, on both databases, and back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from service.adapters.sql.engine import for_writing
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.migrate import is_current, migrate, migration_config
from service.adapters.sql.tables import Base
from service.core.errors import Misconfigured
from tests.records import cropped_record
from tests.servers.postgres import PostgresServer, opened


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind in turn that nobody has migrated."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'metercrop.db'}"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    yield postgres.create("test_migrations")
    postgres.drop("test_migrations")


@pytest.fixture
def empty(empty_url: str) -> Iterator[Engine]:
    with opened(empty_url) as engine:
        yield engine


def downgrade(engine: Engine, *, to: str) -> None:
    with for_writing(engine).begin() as connection:
        command.downgrade(migration_config(connection), to)


def tables_of(engine: Engine) -> set[str]:
    with engine.begin() as connection:
        return set(inspect(connection).get_table_names())


def test_migrated_tables_are_those_the_code_knows(empty: Engine) -> None:
    migrate(empty)

    with empty.begin() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
    assert tables_of(empty) == {*Base.metadata.tables, "alembic_version"}


def test_comparison_would_see_a_missing_index(empty: Engine) -> None:
    migrate(empty)

    with for_writing(empty).begin() as connection:
        connection.execute(text("drop index ix_photos_received_at_id"))
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, Base.metadata)
    assert [difference[0] for difference in differences] == ["add_index"]


def test_database_is_current_once_it_is_migrated(empty: Engine) -> None:
    assert not is_current(empty)
    migrate(empty)
    assert is_current(empty)


def test_migrating_again_changes_nothing(empty: Engine) -> None:
    migrate(empty)
    record = cropped_record("stays")
    SqlLedger(empty).record(record)

    migrate(empty)

    assert SqlLedger(empty).by_id(record.id) == record


def test_downgrade_leads_back_to_nothing_and_up_again(empty: Engine) -> None:
    migrate(empty)

    downgrade(empty, to="base")
    assert tables_of(empty) == {"alembic_version"}
    assert not is_current(empty)

    migrate(empty)
    assert SqlLedger(empty).record(cropped_record("after")).created


def test_database_of_a_newer_version_stops_the_start(empty: Engine) -> None:
    migrate(empty)
    with for_writing(empty).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))

    assert not is_current(empty)
    with pytest.raises(Misconfigured, match="9999") as refusal:
        migrate(empty)
    assert refusal.value.code == "settings.database_url"


def test_failed_migration_leaves_nothing_behind(empty: Engine) -> None:
    migrate(empty)
    downgrade(empty, to="base")
    with for_writing(empty).begin() as connection:
        connection.execute(text("create table api_keys (in_the_way integer)"))

    with pytest.raises(Exception, match="already exists"):
        migrate(empty)

    assert tables_of(empty) == {"alembic_version", "api_keys"}
    assert not is_current(empty)


MIGRATE = """
import sys
from service.adapters.sql.engine import engine_for
from service.adapters.sql.migrate import is_current, migrate
engine = engine_for(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(engine)
print(is_current(engine))
"""


def test_processes_that_migrate_at_once_all_end_well(empty_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()

    outcomes = [process.communicate(timeout=180) for process in processes]

    assert outcomes == [("True\n", "")] * 2
