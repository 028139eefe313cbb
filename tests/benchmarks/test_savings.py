"""What reports and pages of the photo list cost in an archive of millions, and what recording does.

Run with `make bench`; nothing here is asserted but that the numbers are right. A million records
are loaded into each database, or as many as METERCROP_BENCH_RECORDS says; the cluster is made in
the folder METERCROP_BENCH_FOLDER, with fsync off, and thrown away.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import median, quantiles
from uuid import uuid4

import pytest
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from service.adapters.sql import ledger as ledger_module
from service.adapters.sql.engine import for_writing
from service.adapters.sql.history import append_recorded
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.migrate import migrate
from service.adapters.sql.rollup import Rollup
from service.core.crop import Reason
from service.core.record import Capture, PhotoFilter, Status
from service.core.savings import GroupBy, Period
from tests.benchmarks.archive_rows import (
    BEGIN,
    END,
    METERS_A_SITE,
    SITES,
    load_postgresql,
    load_sqlite,
    rows_of,
)
from tests.records import cropped_record
from tests.servers.postgres import new_server, opened
from tests.servers.process import running

RECORDS = int(os.environ.get("METERCROP_BENCH_RECORDS", "1000000"))
FOLDER = os.environ.get("METERCROP_BENCH_FOLDER")
ROUNDS, RECORDED = 100, 1_000
MONTH = Period(datetime(2025, 5, 1, tzinfo=BEGIN.tzinfo), datetime(2025, 6, 1, tzinfo=BEGIN.tzinfo))
HOURS = Period(BEGIN + timedelta(hours=9), END - timedelta(days=3, hours=4))


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """With the records in it, of each kind in turn."""
    with tempfile.TemporaryDirectory(prefix="metercrop-", dir=FOLDER) as folder:
        opened_one = _sqlite if request.param == "sqlite" else _postgresql
        with opened_one(Path(folder)) as engine:
            migrate(engine)
            began = time.perf_counter()
            load = load_sqlite if request.param == "sqlite" else load_postgresql
            load(engine, rows_of(RECORDS))
            say(f"{RECORDS:,} records in {engine.dialect.name}, loaded in {since(began)}")
            yield engine


@contextmanager
def _sqlite(folder: Path) -> Iterator[Engine]:
    with opened(f"sqlite:///{folder / 'metercrop.db'}") as engine:
        yield engine


@contextmanager
def _postgresql(folder: Path) -> Iterator[Engine]:
    server = new_server(folder, shared_buffers="1GB", max_wal_size="8GB", autovacuum="on")
    with running(server.process), opened(server.create("archive")) as engine:
        yield engine


def test_an_archive_of_millions(archive: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = SqlLedger(archive)
    began = time.perf_counter()
    rebuilt = ledger.rebuild_savings(min_billable_bytes=0)
    say(f"{rebuilt.sums:,} sums made from them in {since(began)}")
    settle(archive)
    gc.collect()
    gc.freeze()  # as `metercrop serve` does once it is ready
    assert rebuilt.photos == RECORDS
    assert ledger.savings(Period(), min_billable_bytes=0).totals.photos == RECORDS

    reports = Table("report", "p50 ms", "p99 ms", title=f"{ROUNDS} times each")
    for name, period in (("three years", Period(BEGIN, END)), ("a month", MONTH), ("hours", HOURS)):
        for group_by in (None, *GroupBy):
            _row(reports, f"{name}, by {group_by or 'nothing'}", _report(ledger, period, group_by))
    days = BEGIN.date(), END.date()
    _row(reports, "drift, three years", lambda: ledger.model_days(*days))
    Console().print(reports)

    pages = Table("page of 50 photos", "p50 ms", "p99 ms", title=f"{ROUNDS} times each")
    for name, where in _filters(Random(1)).items():
        _row(pages, name, _page(ledger, where))
    Console().print(pages)

    _compare_recording(ledger, monkeypatch)
    counted = RECORDS + RECORDED  # of two that were recorded one told the sums
    assert ledger.savings(Period(), min_billable_bytes=0).totals.photos == counted


def _report(ledger: SqlLedger, period: Period, group_by: GroupBy | None) -> Callable[[], object]:
    return lambda: ledger.savings(period, group_by=group_by, min_billable_bytes=0)


def _page(ledger: SqlLedger, where: Callable[[], PhotoFilter]) -> Callable[[], object]:
    return lambda: ledger.page(where(), limit=50)


def _filters(chance: Random) -> dict[str, Callable[[], PhotoFilter]]:
    """Other ones at each call."""

    def site() -> str:
        return f"site {chance.randrange(SITES):03}"

    def meter() -> str:
        return f"G-{chance.randrange(SITES * METERS_A_SITE)}"

    def moment() -> datetime:
        return BEGIN + (END - BEGIN) * chance.random()

    def reason() -> Reason:
        return chance.choice((Reason.LOW_CONFIDENCE, Reason.REGION_AT_BORDER, Reason.RESTORED))

    def week(of_site: str | None = None, why: Reason | None = None) -> PhotoFilter:
        first = moment()
        return PhotoFilter(site=of_site, reason=why, from_=first, to=first + timedelta(days=7))

    return {
        "newest": PhotoFilter,
        "before a moment": lambda: PhotoFilter(to=moment()),
        "of a week": week,
        "of a meter": lambda: PhotoFilter(meter_id=meter()),
        "of a site": lambda: PhotoFilter(site=site()),
        "of a site, before a moment": lambda: PhotoFilter(site=site(), to=moment()),
        "of a site and week": lambda: week(site()),
        "cropped": lambda: PhotoFilter(status=Status.CROPPED, to=moment()),
        "kept": lambda: PhotoFilter(status=Status.KEPT_ORIGINAL, to=moment()),
        "of a reason": lambda: PhotoFilter(reason=reason()),
        "of a reason, before a moment": lambda: PhotoFilter(reason=reason(), to=moment()),
        "of a reason and week": lambda: week(why=reason()),
        "of a site, kept": lambda: PhotoFilter(site=site(), status=Status.KEPT_ORIGINAL),
        "of a site and a reason": lambda: PhotoFilter(site=site(), reason=reason()),
        "of a site, a reason and week": lambda: week(site(), reason()),
        "of a meter and a reason": lambda: PhotoFilter(meter_id=meter(), reason=reason()),
    }


def _row(table: Table, name: str, work: Callable[[], object]) -> None:
    """Ten times first, as a service that has run for a while answers."""
    for _ in range(10):
        work()
    taken = [_ms(work) for _ in range(ROUNDS)]
    table.add_row(name, f"{median(taken):.1f}", f"{quantiles(taken, n=100)[98]:.1f}")


def _compare_recording(ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """In turn as it is and as it was before there were sums, folding and all."""
    taken: dict[str, list[float]] = {"with sums": [], "without": []}
    for n in range(2 * RECORDED):
        kind = ("with sums", "without")[n % 2]
        with monkeypatch.context() as patch:
            if kind == "without":
                patch.setattr(
                    ledger_module,
                    "tell_recorded",
                    lambda session, new: append_recorded(session, [new]),
                )
                patch.setattr(Rollup, "tend", lambda *_: None)
            capture = Capture(site=f"site {n % SITES:03}", meter_type="gas", meter_id=f"G-{n}")
            new = cropped_record(
                f"{uuid4()}", received_at=END + timedelta(seconds=n), capture=capture
            )
            taken[kind].append(_ms(partial(ledger.record, new)))
    table = Table("recording a photo", "p50 ms", "mean ms", title="in turn")
    for kind, times in taken.items():
        table.add_row(kind, f"{median(times):.2f}", f"{sum(times) / len(times):.2f}")
    ratio = median(taken["with sums"]) / median(taken["without"])
    table.add_row("ratio of medians", f"{ratio:.3f}")
    Console().print(table)


def settle(engine: Engine) -> None:
    """As a database that has been running for a while is."""
    if engine.dialect.name == "sqlite":
        with for_writing(engine).begin() as connection:
            connection.execute(text("analyze"))
        return
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("set statement_timeout = 0"))
        connection.execute(text("vacuum analyze"))


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def since(began: float) -> str:
    return f"{time.perf_counter() - began:.0f} s"


def say(what: str) -> None:
    Console().print(what)
