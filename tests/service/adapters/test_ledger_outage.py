"""A database that is away, comes back, or leaves in the middle of a commit."""

from __future__ import annotations

import select
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text

from service.adapters.sql.engine import MAX_OVERFLOW, POOL_SIZE, engine_for, for_writing
from service.adapters.sql.ledger import SqlLedger
from service.core.errors import Misconfigured, Unavailable
from service.core.record import PhotoFilter
from tests.records import cropped_record
from tests.servers.postgres import PASSWORD, PostgresServer, opened
from tests.servers.process import free_port

SOON_S = 30.0
"""Far more than the limits, for a busy machine, and far less than for ever."""


def test_stopped_postgresql_is_unavailable_soon_and_the_same_ledger_recovers(
    postgres: PostgresServer, postgresql_url: str
) -> None:
    before, after = cropped_record("before"), cropped_record("after")
    with opened(postgresql_url) as engine:
        ledger = SqlLedger(engine)
        ledger.record(before)

        postgres.stop()
        started = time.monotonic()
        for call in (ledger.check, lambda: ledger.record(after), lambda: ledger.by_id(before.id)):
            with pytest.raises(Unavailable, match="trying again is safe") as outage:
                call()
            assert outage.value.code == "database.unavailable"
            assert outage.value.__cause__ is not None
        assert time.monotonic() - started < SOON_S

        postgres.start()
        assert ledger.record(after).created
        assert ledger.by_id(before.id) == before


def test_every_pooled_connection_recovers(postgres: PostgresServer, postgresql_url: str) -> None:
    with opened(postgresql_url) as engine:
        with ExitStack() as held:
            for _ in range(POOL_SIZE):
                held.enter_context(engine.connect()).execute(text("select 1"))
        postgres.stop()
        postgres.start()

        ledger = SqlLedger(engine)
        for n in range(POOL_SIZE + 1):
            assert ledger.record(cropped_record(f"{n}")).created


def test_server_that_never_answers_is_unavailable_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/db"
        with opened(url) as engine:
            started = time.monotonic()
            with pytest.raises(Unavailable):
                SqlLedger(engine).check()
    assert time.monotonic() - started < SOON_S


def test_exhausted_pool_is_unavailable_soon(postgresql_url: str) -> None:
    with opened(postgresql_url) as engine, ExitStack() as held:
        for _ in range(POOL_SIZE + MAX_OVERFLOW):
            held.enter_context(engine.connect())

        started = time.monotonic()
        with pytest.raises(Unavailable, match="limit"):
            SqlLedger(engine).check()
        assert time.monotonic() - started < SOON_S


def test_no_statement_runs_for_ever(postgresql_url: str) -> None:
    with opened(f"{postgresql_url}?options=-c%20work_mem%3D8MB") as engine:
        connection = engine.connect()
        assert connection.scalar(text("show statement_timeout")) == "10s"
        assert connection.scalar(text("show work_mem")) == "8MB"
        connection.close()


def test_process_that_hangs_amid_a_transaction_does_not_keep_its_rows_for_ever(
    postgresql_url: str,
) -> None:
    with opened(postgresql_url) as engine, engine.connect() as connection:
        assert connection.scalar(text("show idle_in_transaction_session_timeout")) == "30s"


def test_who_goes_through_all_objects_may_rest_on_the_way(postgresql_url: str) -> None:
    asked: list[str] = []
    with opened(postgresql_url) as engine:
        event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
        list(SqlLedger(engine).owned_objects())
    assert "set local idle_in_transaction_session_timeout = 0" in asked


class CutAtCommit:
    """Passes everything on to a server; its first commit gets there, but not the answer to it."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=60)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._threads.append(threading.Thread(target=self._relay, args=(client,)))
            self._threads[-1].start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server:
            while True:
                for source in select.select([client, server], [], [])[0]:
                    sent = source.recv(65536)
                    if not sent:
                        return
                    (server if source is client else client).sendall(sent)
                    if source is client and b"COMMIT\0" in sent and not self.cuts:
                        self.cuts += 1
                        server.recv(65536)  # done, but nobody will hear of it
                        return


@pytest.fixture
def cutting(postgres: PostgresServer) -> Iterator[CutAtCommit]:
    relay = CutAtCommit(postgres.port)
    yield relay
    relay.close()


def test_record_whose_commit_was_not_confirmed_can_be_sent_again(
    cutting: CutAtCommit, postgresql_url: str
) -> None:
    first, again = cropped_record("in doubt"), cropped_record("in doubt")
    url = make_url(postgresql_url).set(port=cutting.port)
    with opened(url.render_as_string(hide_password=False)) as engine:
        ledger = SqlLedger(engine)
        with pytest.raises(Unavailable):
            ledger.record(first, idempotency_key="k")
        assert cutting.cuts == 1

        retried = ledger.record(again, idempotency_key="k")

        assert retried.record == first
        assert not retried.created
        assert ledger.page(PhotoFilter(), limit=10).items == (first,)


def everything_told(error: BaseException) -> str:
    """What a log would show of it, causes too."""
    return "".join(traceback.format_exception(error))


SECRET = "s3cret-Pa55"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://metercrop:{SECRET}@127.0.0.1:{{closed}}/db",
        f"postgresql://127.0.0.1:{{closed}}/db?user=metercrop&password={SECRET}",
        f"postgresql://metercrop:{SECRET}@127.0.0.1:{{open}}/postgres",
        f"postgresql://nobody:{SECRET}@127.0.0.1:{{open}}/postgres",
        f"postgresql://127.0.0.1:{{open}}/postgres?user=metercrop&password={SECRET}",
    ],
)
def test_outage_tells_no_secrets(postgres: PostgresServer, url: str) -> None:
    engine = engine_for(url.format(closed=free_port(), open=postgres.port))
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1") as outage:
        SqlLedger(engine).check()

    assert SECRET not in everything_told(outage.value)


def test_failed_statement_tells_nothing_of_the_record(postgresql_url: str) -> None:
    with opened(postgresql_url) as engine:
        with for_writing(engine).begin() as connection:
            connection.execute(text("drop table photos cascade"))
        with pytest.raises(Unavailable, match="photos") as outage:
            SqlLedger(engine).record(cropped_record(f"{SECRET}"))

    assert cropped_record(SECRET).original.sha256 not in everything_told(outage.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "metercrop.db",
        "sqlite://",
        "sqlite:///:memory:",
        f"mysql://root:{SECRET}@127.0.0.1/db",
        f"postgresql+psycopg2://u:{SECRET}@127.0.0.1/db",
        f"postgresql://u:{SECRET}@127.0.0.1",
        f"postgresql://u:p@127.0.0.1:{SECRET}/db",
    ],
)
def test_address_that_is_not_understood_stops_the_start_and_tells_no_secrets(url: str) -> None:
    with pytest.raises(Misconfigured, match="METERCROP_DATABASE_URL") as refusal:
        engine_for(url)

    assert refusal.value.code == "settings.database_url"
    assert SECRET not in everything_told(refusal.value)


def test_sqlite_file_without_a_folder_is_unavailable(tmp_path: Path) -> None:
    engine = engine_for(f"sqlite:///{tmp_path / 'missing' / 'metercrop.db'}")
    with pytest.raises(Unavailable, match="missing"):
        SqlLedger(engine).check()


def test_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "metercrop.db"
    file.write_bytes(b"a reading is 01047" * 500)
    with opened(f"sqlite:///{file}") as engine, pytest.raises(Unavailable, match="not a database"):
        SqlLedger(engine).check()


def test_sqlite_keeps_what_it_has_confirmed(sqlite_url: str) -> None:
    with opened(sqlite_url) as engine, engine.connect() as connection:
        assert connection.scalar(text("pragma journal_mode")) == "wal"
        assert connection.scalar(text("pragma synchronous")) == 2  # FULL
        assert connection.scalar(text("pragma foreign_keys")) == 1
