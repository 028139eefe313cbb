"""On a real PostgreSQL: only its operator changes its tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.postgres import PostgresServer
from tests.service.commands import Workplace, workplace_in


@pytest.fixture
def empty_database(postgres: PostgresServer) -> Iterator[str]:
    yield postgres.create("not_migrated")
    postgres.drop("not_migrated")


@pytest.fixture
def workplace(tmp_path: Path, empty_database: str) -> Workplace:
    return workplace_in(tmp_path, METERCROP_DATABASE_URL=empty_database)


@pytest.mark.parametrize("command", ["serve", "savings"])
def test_outdated_database_is_refused_with_what_to_do(command: str, workplace: Workplace) -> None:
    refused = workplace.run(*command.split())
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].endswith("is not up to date; run `metercrop migrate`")
    assert "pa55-of-the-tests" not in refused.stderr


def test_doctor_says_that_the_database_is_outdated(workplace: Workplace) -> None:
    examined = workplace.run("doctor")
    assert examined.returncode == 1
    assert "wrong  the database is not up to date; run `metercrop migrate`" in examined.stdout


def test_migrated_database_is_used_at_once(workplace: Workplace) -> None:
    migrated = workplace.run("migrate")
    assert migrated.returncode == 0
    assert "***@127.0.0.1" in migrated.stdout
    assert workplace.run("keys", "list").returncode == 0
