"""Many at once: one wins, nobody is told that the database is locked."""

from __future__ import annotations

import subprocess
import sys
import time
from uuid import uuid4

from sqlalchemy import Engine, func, insert, select

from service.adapters.sql.engine import for_writing
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.mapping import key_columns
from service.adapters.sql.tables import ApiKeyRow
from service.core.access import ApiKey
from service.core.errors import RequestRejected
from service.core.record import PhotoFilter, Recorded
from service.ports import Ledger
from tests.racing import THREADS, at_once
from tests.records import NOON, cropped_record
from tests.servers.postgres import opened


def test_of_many_with_the_same_bytes_exactly_one_creates(ledger: Ledger) -> None:
    outcomes = at_once(lambda _: ledger.record(cropped_record("same")))

    assert [outcome.created for outcome in outcomes].count(True) == 1
    assert len({outcome.record.id for outcome in outcomes}) == 1
    assert ledger.page(PhotoFilter(), limit=100).items == (outcomes[0].record,)


def test_of_many_with_one_key_and_the_same_bytes_exactly_one_creates(ledger: Ledger) -> None:
    outcomes = at_once(lambda _: ledger.record(cropped_record("same"), idempotency_key="k"))

    assert [outcome.created for outcome in outcomes].count(True) == 1
    assert len({outcome.record.id for outcome in outcomes}) == 1


def test_of_many_with_one_key_and_other_bytes_exactly_one_is_kept(ledger: Ledger) -> None:
    def outcome(n: int) -> Recorded | str:
        try:
            return ledger.record(cropped_record(f"bytes {n}"), idempotency_key="contested")
        except RequestRejected as refusal:
            return refusal.code

    outcomes = at_once(outcome)

    assert outcomes.count("idempotency.conflict") == THREADS - 1
    (winner,) = (outcome for outcome in outcomes if isinstance(outcome, Recorded))
    assert ledger.page(PhotoFilter(), limit=100).items == (winner.record,)
    sha256 = winner.record.original.sha256
    assert ledger.original_of_idempotency_key("contested") == sha256


def test_different_photos_are_all_recorded_while_others_read(ledger: Ledger) -> None:
    def record_and_look(n: int) -> int:
        for m in range(10):
            ledger.record(cropped_record(f"{n} {m}"), idempotency_key=f"{n} {m}")
            ledger.page(PhotoFilter(), limit=5)
            ledger.totals(PhotoFilter(), min_billable_bytes=0)
        return n

    assert sorted(at_once(record_and_look)) == list(range(THREADS))
    assert ledger.totals(PhotoFilter(), min_billable_bytes=0).photos == THREADS * 10


def test_recording_and_deleting_the_same_bytes_over_and_over_ends_well(ledger: Ledger) -> None:
    def record_and_delete(_: int) -> bool:
        for _round in range(20):
            recorded = ledger.record(cropped_record("contested"), idempotency_key="contested")
            ledger.delete(recorded.record.id, at=NOON)
        return True

    assert all(at_once(record_and_delete))
    assert ledger.page(PhotoFilter(), limit=10).items == ()


def test_writers_that_read_first_wait_for_each_other(sqlite_url: str) -> None:
    count = select(func.count()).select_from(ApiKeyRow)
    with opened(sqlite_url) as engine:

        def read_then_write(n: int) -> int:
            with for_writing(engine).begin() as connection:
                seen = connection.scalar(count)
                time.sleep(0.01)  # a deferred transaction would find its snapshot outdated now
                key = ApiKey(uuid4(), f"{n}", frozenset(), f"secret {n}", NOON)
                connection.execute(insert(ApiKeyRow).values(key_columns(key)))
            return seen or 0

        assert sorted(at_once(read_then_write)) == list(range(THREADS))


RECORD_TWENTY = """
import sys
from service.adapters.sql.engine import engine_for
from service.adapters.sql.ledger import SqlLedger
from tests.records import cropped_record
ledger = SqlLedger(engine_for(sys.argv[1]))
for n in range(20):
    ledger.record(cropped_record(f"shared {n}"))
    ledger.record(cropped_record(f"{sys.argv[2]} {n}"))
"""


def test_processes_share_a_database(engine: Engine, database_url: str) -> None:
    command = [sys.executable, "-c", RECORD_TWENTY, database_url]
    processes = [
        subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]

    complaints = [process.communicate(timeout=180)[1] for process in processes]

    assert complaints == ["", ""]
    totals = SqlLedger(engine).totals(PhotoFilter(), min_billable_bytes=0)
    assert totals.photos == 20 + 2 * 20
