"""No question reads all items of a job, or all photos: each finds its rows by an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, event, text

from service.adapters.sql.engine import for_writing
from service.adapters.sql.freed import count_freed
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.transactions import Transactions
from service.core.job import ItemState
from tests.jobs import archive_of, batch_record, cropped, failed, job_over

Parameters: TypeAlias = Mapping[str, Any] | tuple[Any, ...]

LARGE = ("job_items", "photos", "photo_events")


@contextmanager
def statements_of(engine: Engine) -> Iterator[dict[str, Parameters]]:
    """Fills up with what is asked meanwhile, and with what parameters."""
    asked: dict[str, Parameters] = {}

    def remember(
        connection: Connection,
        cursor: object,
        statement: str,
        parameters: Parameters | list[Parameters],
        context: object,
        executemany: bool,  # noqa: FBT001 - SQLAlchemy gives it so
    ) -> None:
        if not statement.startswith("set"):
            asked[statement] = parameters[0] if isinstance(parameters, list) else parameters

    event.listen(engine, "before_cursor_execute", remember)
    yield asked
    event.remove(engine, "before_cursor_execute", remember)


def whole_tables_read(connection: Connection, statement: str, parameters: Parameters) -> list[str]:
    """Also what reads all items of the job, which only SQLite's plans show for certain."""
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"explain query plan {statement}", parameters)
        return [row.detail for row in plan if _reads_all(row.detail, statement)]
    plan = connection.exec_driver_sql(f"explain (format json) {statement}", parameters)
    return list(_read_without_condition(plan.scalar_one()[0]["Plan"]))


def _reads_all(detail: str, statement: str) -> bool:
    how, table, *_ = detail.split()
    whole_job = detail.endswith("(job_id=?)") and "LIMIT" not in statement
    return table in LARGE and (how == "SCAN" or whole_job)


def _read_without_condition(node: Mapping[str, Any]) -> Iterator[str]:
    found = {"Index Cond", "Recheck Cond", "Conflict Resolution"} & node.keys()
    if node.get("Relation Name") in LARGE and node["Node Type"] != "ModifyTable" and not found:
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from _read_without_condition(part)


def everything_is_asked(engine: Engine) -> None:
    ledger = SqlJobLedger(engine)
    job, items = job_over(ledger, archive_of(3))
    record = batch_record("a")
    after = batch_record("a", fingerprint="model 2")
    ledger.settle(job.id, [cropped(items[0], record), failed(items[1])])
    again, items = job_over(ledger, archive_of(3))
    ledger.earlier(items, not_of=again.id)
    ledger.settle(again.id, [cropped(items[0], after, supersedes=True)])
    ledger.retry_failed(job.id)
    ledger.job(job.id)
    ledger.jobs(limit=2, cursor=ledger.jobs(limit=1).next_cursor)
    ledger.open_chunks(job.id, limit=10)
    ledger.pending_items(job.id, chunk=0)
    page = ledger.items(job.id, state=ItemState.PENDING, limit=1)
    ledger.items(job.id, state=None, limit=1, cursor=page.next_cursor)
    with Transactions(engine).writing() as session:
        count_freed(session, record.id, 1_000)


def test_every_row_is_found_by_an_index(engine: Engine) -> None:
    with statements_of(engine) as asked:
        everything_is_asked(engine)

    with for_writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("set local enable_seqscan = off"))  # as if there were many
        read = {
            statement: whole_tables_read(connection, statement, parameters)
            for statement, parameters in asked.items()
        }
    assert len(read) > 20
    assert {statement: parts for statement, parts in read.items() if parts} == {}


def test_index_that_is_missing_would_be_noticed(engine: Engine) -> None:
    with for_writing(engine).begin() as connection:
        connection.execute(text("drop index ix_job_items_photo_id"))
        if connection.dialect.name == "postgresql":
            connection.execute(text("set local enable_seqscan = off"))
        asked = "select number from job_items where photo_id = '00000000000000000000000000000000'"

        assert whole_tables_read(connection, asked, ())
