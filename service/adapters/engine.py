"""Jobs as durable workflows of DBOS; the only file that knows the engine.

Preparing a job is a workflow, and so is each of its chunks; queues hand them out to every worker
on the same database. Their ids say what they do, so to begin one twice begins it once. What they
do may be done twice without harm, as the outcomes are the job ledger's.

A chunk that is nearly done becomes a workflow of its own, its rest, so that its worker takes the
next chunk out of the queue meanwhile: else its cores would wait for the last items, and the queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Condition
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, Queue, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import make_url

from service.adapters.sql.engine import IDLE_TRANSACTION_MS
from service.adapters.sql.failures import database_failures
from service.core.job import Job

NAME = "metercrop"
VERSION = "metercrop-1"
"""Of the workflows below, not of the program: workers of two releases share their work."""
SCHEMA = "metercrop_engine"
PREPARATIONS, CHUNKS = "metercrop-preparations", "metercrop-chunks"
PREPARATIONS_AT_ONCE = 4
CHUNKS_AT_ONCE = 1
"""A worker's: with more, one of few workers would take what the others could begin."""
MOST_CHUNKS = 16
"""Threads for chunks and rests; more than two only have work after a takeover."""
PREPARATIONS_POLL_S = 1.0
CHUNKS_POLL_S = 0.25
"""Shorter, as a worker has nothing to do between two chunks; while it has one, it asks little."""
NOTIFIES_POLL_S = 1.0
"""For messages between workflows, of which there are none; else it looks 100 times a second."""
MIDDLE_PRIORITY = 1_000_000
"""The engine takes lower numbers first, and none below 1."""

FAILURES_S = 10.0
BROKEN = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


class Leaving(BaseException):
    """Leaves a workflow unfinished for whoever goes on with it: the engine records no end.

    Not an `Exception`, which would be recorded as the workflow's failure.
    """


RunChunk = Callable[[UUID, int, int, Callable[[], None]], None]
"""Of a job, its attempt and the chunk's number; the last is called when it is nearly done."""


class DbosEngine:
    """One worker on a database, for as long as the process: DBOS knows a single one in each.

    `worker_id` is to be the same when the worker starts again: it then goes on with what it left.
    `prepare` and `run_chunk` raise `Leaving` to be begun again.
    """

    def __init__(
        self,
        database_url: str,
        worker_id: str,
        *,
        prepare: Callable[[UUID], None],
        run_chunk: RunChunk,
    ) -> None:
        self._url = engine_database(database_url)
        self._worker_id = worker_id
        self._begun: set[str] = set()
        self._looked_s: dict[str, float] = {}
        self._in_hand = 0
        self._changed = Condition()
        self._run_chunk = run_chunk
        self._threads = ThreadPoolExecutor(MOST_CHUNKS, "chunk")
        self._rests: dict[str, Future[None]] = {}

        def prepare_workflow(job_id: str) -> None:
            with self._counted():
                prepare(UUID(job_id))

        def chunk_workflow(job_id: str, attempt: int, chunk: int) -> None:
            with self._counted():
                self._begin_at_least(job_id, attempt, chunk)

        def rest_workflow(name: str, job_id: str, attempt: int, chunk: int) -> None:
            with self._counted():
                self._end_rest(name, job_id, attempt, chunk)

        DBOS(config=_config(self._url, worker_id))

        self._prepare = DBOS.workflow(name="prepare")(prepare_workflow)
        self._chunk = DBOS.workflow(name="chunk")(chunk_workflow)
        self._rest = DBOS.workflow(name="rest")(rest_workflow)
        with database_failures(make_url(self._url)):
            DBOS.launch()
        self._preparations = _queue(PREPARATIONS, PREPARATIONS_AT_ONCE, poll_s=PREPARATIONS_POLL_S)
        self._chunks = _queue(CHUNKS, CHUNKS_AT_ONCE, poll_s=CHUNKS_POLL_S)

    def close(self) -> None:
        """Waits for what is in hand to end or raise `Leaving`, and hands that out again."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_hand == 0)
        # What it hands out while it ends is handed out again below; it would call that an error.
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        self._threads.shutdown()
        DBOS.destroy(destroy_registry=True)
        client = DBOSClient(system_database_url=self._url, dbos_system_schema=SCHEMA)
        try:
            _hand_out_again(client, self._worker_id)
        finally:
            client.destroy()

    def begin_preparing(self, job: Job) -> None:
        workflow_id = f"{_beginning(job)}prepare"
        if workflow_id not in self._begun:
            with SetWorkflowID(workflow_id), SetEnqueueOptions(priority=_priority(job)):
                self._preparations.enqueue(self._prepare, str(job.id))
            self._begun.add(workflow_id)

    def begin_chunk(self, job: Job, chunk: int) -> None:
        workflow_id = f"{_beginning(job)}chunk:{chunk}"
        if workflow_id not in self._begun:
            with SetWorkflowID(workflow_id), SetEnqueueOptions(priority=_priority(job)):
                self._chunks.enqueue(self._chunk, str(job.id), job.attempt, chunk)
            self._begun.add(workflow_id)

    def is_working_on(self, job: Job) -> bool:
        """Whether any worker has a part of the job in hand."""
        in_hand = DBOS.list_workflows(
            workflow_id_prefix=f"{job.id}:",
            status="PENDING",
            limit=1,
            load_input=False,
            load_output=False,
        )
        return bool(in_hand)

    def failure(self, job: Job) -> str | None:
        """What ended a workflow of this attempt that should not have ended so.

        It is looked for now and then only: the engine reads all of its workflows for that.
        """
        beginning, now_s = _beginning(job), monotonic()
        if now_s - self._looked_s.get(beginning, 0.0) < FAILURES_S:
            return None
        self._looked_s[beginning] = now_s
        broken = DBOS.list_workflows(
            workflow_id_prefix=beginning, status=BROKEN, limit=1, load_input=False
        )
        return f"{broken[0].workflow_id}: {broken[0].error}" if broken else None

    def adopt(self, worker_id: str) -> int:
        """Puts what another worker had in hand back into the queues; how many workflows."""
        return _hand_out_again(DBOS, worker_id)

    def _begin_at_least(self, job_id: str, attempt: int, chunk: int) -> None:
        """Runs a chunk until it has ended, or its rest is a workflow of its own."""
        name, handed_on = f"{job_id}:{attempt}:rest:{chunk}:{uuid4().hex}", Future[bool]()

        def hand_on() -> None:
            if not handed_on.done():
                handed_on.set_result(self._is_begun(name, job_id, attempt, chunk))

        with self._changed:
            run = self._threads.submit(self._run_chunk, UUID(job_id), attempt, chunk, hand_on)
            self._rests[name] = run
        either: list[Future[Any]] = [run, handed_on]
        wait(either, return_when=FIRST_COMPLETED)
        if not (handed_on.done() and handed_on.result()):
            self._rest_of(name)
            run.result()

    def _is_begun(self, name: str, job_id: str, attempt: int, chunk: int) -> bool:
        """Whether a rest is a workflow now; its chunk's own goes on with it where it is not."""
        try:
            with SetWorkflowID(name):
                DBOS.start_workflow(self._rest, name, job_id, attempt, chunk)
        except Exception as error:  # noqa: BLE001  the engine raises whatever its driver does
            structlog.get_logger().warning("job.rest_not_begun", chunk=name, why=str(error))
            return False
        return True

    def _end_rest(self, name: str, job_id: str, attempt: int, chunk: int) -> None:
        """Waits for it; where that was another process's, which is gone, does what is left."""
        run = self._rest_of(name)
        if run is None:
            self._run_chunk(UUID(job_id), attempt, chunk, lambda: None)
        else:
            run.result()

    def _rest_of(self, name: str) -> Future[None] | None:
        with self._changed:
            return self._rests.pop(name, None)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._in_hand += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_hand -= 1
                self._changed.notify_all()


def engine_database(database_url: str) -> str:
    """Where the engine keeps its own books: a schema in PostgreSQL, a file beside SQLite's."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    return f"sqlite:///{url.database}-engine"


def _hand_out_again(books: type[DBOS] | DBOSClient, worker_id: str) -> int:
    left = books.list_workflows(
        executor_id=worker_id, status="PENDING", load_input=False, load_output=False
    )
    for name, queue in (("prepare", PREPARATIONS), ("chunk", CHUNKS), ("rest", CHUNKS)):
        ids = [each.workflow_id for each in left if each.name == name]
        if ids:
            books.resume_workflows(ids, queue_name=queue)
    return len(left)


def _config(url: str, worker_id: str) -> DBOSConfig:
    return DBOSConfig(
        name=NAME,
        system_database_url=url,
        dbos_system_schema=SCHEMA,
        application_version=VERSION,
        executor_id=worker_id,
        sys_db_idle_transaction_timeout_sec=IDLE_TRANSACTION_MS / 1000,
        notification_coalesce_sec=NOTIFIES_POLL_S,
        enable_otlp=False,
        log_level="WARNING",
    )


def _queue(name: str, at_once: int, *, poll_s: float) -> Queue:
    return DBOS.register_queue(
        name,
        worker_concurrency=at_once,
        polling_interval_sec=poll_s,
        on_conflict="always_update",
    )


def _beginning(job: Job) -> str:
    return f"{job.id}:{job.attempt}:"


def _priority(job: Job) -> int:
    return MIDDLE_PRIORITY - job.plan.priority
