"""The workflow engine alone: once in effect, handed over, and honest about what broke."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from uuid import UUID

import pytest

from service.adapters.engine import DbosEngine, Leaving, engine_database
from service.core.job import Job
from tests.jobs import new_job

ROOMY_S = 120.0


class Crew:
    """What one worker's workflows did; chunks of `broken` raise, and none ends while it is shut.

    Those of `long` are nearly done from the beginning, and do not end while the crew is not `free`.
    """

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.broken: set[int] = set()
        self.long: set[int] = set()
        self.leaving = Event()
        self.open = Event()
        self.open.set()
        self.free = Event()
        self._lock = Lock()

    def prepare(self, _job_id: UUID) -> None:
        with self._lock:
            self.ended.append(-1)

    def run_chunk(
        self, _job_id: UUID, _attempt: int, chunk: int, nearly_done: Callable[[], None]
    ) -> None:
        with self._lock:
            self.begun.append(chunk)
        self._wait_for(self.open)
        if chunk in self.long:
            nearly_done()
            nearly_done()
            self._wait_for(self.free)
        if chunk in self.broken:
            raise ValueError("a mistake of ours")
        with self._lock:
            self.ended.append(chunk)

    def _wait_for(self, event: Event) -> None:
        while not event.wait(0.01):
            if self.leaving.is_set():
                raise Leaving


@contextmanager
def worker(url: str, name: str, crew: Crew) -> Iterator[DbosEngine]:
    engine = DbosEngine(url, name, prepare=crew.prepare, run_chunk=crew.run_chunk)
    try:
        yield engine
    finally:
        crew.leaving.set()
        engine.close()


def once(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + ROOMY_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def job() -> Job:
    return new_job()


def test_what_is_begun_twice_is_done_once(database_url: str, job: Job) -> None:
    crew = Crew()
    with worker(database_url, "one-0", crew) as engine:
        for _ in range(2):
            engine.begin_preparing(job)
            for chunk in range(3):
                engine.begin_chunk(job, chunk)
        once(lambda: len(crew.ended) == 4)
        once(lambda: not engine.is_working_on(job))

    assert sorted(crew.ended) == [-1, 0, 1, 2]


def test_what_a_worker_leaves_the_next_one_does(database_url: str, job: Job) -> None:
    leaving, next_ = Crew(), Crew()
    leaving.open.clear()
    with worker(database_url, "one-0", leaving) as engine:
        engine.begin_chunk(job, 7)
        once(lambda: leaving.begun == [7])
        assert engine.is_working_on(job)
    with worker(database_url, "two-0", next_):
        once(lambda: next_.ended == [7])

    assert leaving.ended == []


def test_while_a_chunk_is_nearly_done_the_next_one_is_begun(database_url: str, job: Job) -> None:
    crew = Crew()
    crew.long = {0}
    with worker(database_url, "one-0", crew) as engine:
        engine.begin_chunk(job, 0)
        once(lambda: crew.begun == [0])
        engine.begin_chunk(job, 1)
        once(lambda: crew.ended == [1])
        assert engine.is_working_on(job)
        crew.free.set()
        once(lambda: crew.ended == [1, 0])
        once(lambda: not engine.is_working_on(job))

    assert crew.begun == [0, 1]


def test_a_rest_that_a_worker_leaves_the_next_one_does(database_url: str, job: Job) -> None:
    leaving, next_ = Crew(), Crew()
    leaving.long = {0}
    next_.free.set()
    with worker(database_url, "one-0", leaving) as engine:
        engine.begin_chunk(job, 0)
        engine.begin_chunk(job, 1)
        once(lambda: leaving.ended == [1])
    with worker(database_url, "two-0", next_) as engine:
        once(lambda: next_.ended == [0])
        once(lambda: not engine.is_working_on(job))

    assert leaving.ended == [1]


def test_a_rest_that_breaks_is_told(database_url: str, job: Job) -> None:
    crew = Crew()
    crew.long, crew.broken = {0}, {0}
    crew.free.set()
    with worker(database_url, "one-0", crew) as engine:
        engine.begin_chunk(job, 0)
        once(lambda: crew.begun == [0])
        once(lambda: not engine.is_working_on(job))
        told = engine.failure(job)

    assert told is not None
    assert "a mistake of ours" in told


def test_a_chunk_that_breaks_is_told(database_url: str, job: Job) -> None:
    crew = Crew()
    crew.broken = {1}
    with worker(database_url, "one-0", crew) as engine:
        engine.begin_chunk(job, 0)
        engine.begin_chunk(job, 1)
        once(lambda: sorted(crew.begun) == [0, 1])
        once(lambda: not engine.is_working_on(job))
        told = engine.failure(job)

    assert told is not None
    assert "a mistake of ours" in told


def test_the_engines_books_lie_beside_the_database() -> None:
    assert engine_database("sqlite:////data/metercrop.db") == "sqlite:////data/metercrop.db-engine"
    assert engine_database("postgresql://me:secret@db/metercrop") == (
        "postgresql+psycopg://me:secret@db/metercrop"
    )
