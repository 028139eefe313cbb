"""A worker: the pipeline of the uploads between archives and the job ledger, on the engine."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Lock, Semaphore
from uuid import UUID

import structlog

from service.adapters.engine import DbosEngine, Leaving
from service.adapters.machine import keep_memory_at_hand, usable_cpus
from service.adapters.worker_name import worker_name
from service.bootstrap.keeping import (
    THREADS_PER_CPU,
    limits_of,
    now,
    own_store_of,
    pixel_budget_of,
    purge_of,
    recompress_of,
    require_codec,
)
from service.bootstrap.serving import Machine
from service.core.job import Job, Worker
from service.ports import JobLedger
from service.settings import Settings
from service.usecases.pace import Pace
from service.usecases.prepare_job import Preparation
from service.usecases.purge_outcomes import PurgeTotals
from service.usecases.recompress_outcomes import RecompressTotals
from service.usecases.reprocess import Reprocess
from service.usecases.run_chunk import ChunkEnd, ChunkRunner
from service.usecases.tend_jobs import JobTender, Prices
from service.usecases.work import WorkerLife


@dataclass(frozen=True, slots=True)
class JobWorker:
    """Runs jobs in this process, which is to be told to end through `stop`."""

    settings: Settings
    machine: Machine
    stop: Event

    def run(self) -> None:
        """Until `stop` is set."""
        with self._life() as life:
            life.run()

    def run_job(self, job_id: UUID) -> None:
        """Until the job has ended, is paused, or waits for confirmation; or `stop` is set."""
        with self._life() as life:
            life.run_until_rest(job_id)

    @contextmanager
    def _life(self) -> Iterator[WorkerLife]:
        """At its end `stop` is set, and all that was begun has come to rest."""
        keep_memory_at_hand()
        gc.freeze()  # what has been imported stays: looking through it again and again is in vain
        settings = self.settings
        threads = THREADS_PER_CPU * usable_cpus()
        with (
            worker_name(settings.home, alone=settings.database_is_embedded) as name,
            ThreadPoolExecutor(threads, "item") as pool,
        ):
            engine = self._engine(name, pool, depth=threads)
            try:
                yield self._life_of(name, engine)
            finally:
                self.stop.set()
                engine.close()
                self.machine.keeping.jobs.forget_worker(name)

    def _engine(self, name: str, pool: ThreadPoolExecutor, *, depth: int) -> DbosEngine:
        keeping = self.machine.keeping
        preparation = Preparation(keeping.jobs, keeping.archives, pool, now, self.stop)
        chunks = ChunkRunner(
            jobs=keeping.jobs,
            ledger=keeping.ledger,
            archives=keeping.archives,
            store=keeping.store,
            reprocess=self._reprocess(),
            pool=pool,
            depth=depth,
            pace=_Paces(keeping.jobs).of,
            stop=self.stop,
        )

        def prepare(job_id: UUID) -> None:
            preparation.prepare(job_id)
            if self.stop.is_set():
                raise Leaving

        def run_chunk(
            job_id: UUID, attempt: int, chunk: int, nearly_done: Callable[[], None]
        ) -> None:
            end = chunks.run(job_id, attempt=attempt, chunk=chunk, nearly_done=nearly_done)
            if end is ChunkEnd.INTERRUPTED:
                raise Leaving

        return DbosEngine(self.settings.database, name, prepare=prepare, run_chunk=run_chunk)

    def _reprocess(self) -> Reprocess:
        return Reprocess(
            optimizer=self.machine.intake.optimizer,
            ledger=self.machine.keeping.ledger,
            archives=self.machine.keeping.archives,
            own_store=own_store_of(self.settings),
            store=self.machine.keeping.store,
            limits=limits_of(self.settings),
            budget=pixel_budget_of(self.settings),
            cores=Semaphore(usable_cpus()),
            clock=now,
        )

    def _life_of(self, name: str, engine: DbosEngine) -> WorkerLife:
        jobs, settings = self.machine.keeping.jobs, self.settings
        prices = Prices(settings.price_per_gb_month, settings.min_billable_bytes)
        return WorkerLife(
            me=Worker(name, socket.gethostname(), now(), now()),
            jobs=jobs,
            engine=engine,
            tender=JobTender(jobs, engine, prices, now),
            purge=self._purge,
            recompress=self._recompress,
            clock=now,
            stop=self.stop,
        )

    def _purge(self) -> None:
        """Deletes what is due; where an archive does not answer, the next time will do."""
        totals = PurgeTotals()
        purge = purge_of(self.settings, self.machine.keeping, stop=self.stop)
        for outcome in purge.purged():
            totals.add(outcome)
        if totals.photos:
            structlog.get_logger().info("worker.purged", photos=totals.photos)

    def _recompress(self) -> None:
        """Packs crops where the settings ask for it, at half of one core's time at most."""
        if self.settings.archive_encoding is None:
            return
        totals = RecompressTotals()
        recompress = recompress_of(self.settings, self.machine.keeping, stop=self.stop)
        for outcome in replace(recompress, workers=1, rests=1.0).packed():
            totals.add(outcome)
        if totals.photos:
            structlog.get_logger().info(
                "worker.recompressed",
                crops=totals.recompressed,
                saved_bytes=totals.saved_bytes,
                stay={why.value: count for why, count in totals.stay.items()},
            )


def worker_of(settings: Settings, machine: Machine, *, stop: Event) -> JobWorker:
    """Best over a machine with one thread a photo.

    Raises `Misconfigured` where it could not pack crops as the settings ask.
    """
    require_codec(settings)
    return JobWorker(settings, machine, stop)


class _Paces:
    """One pace a job and process, its share of what the job allows to all workers together."""

    def __init__(self, jobs: JobLedger) -> None:
        self._jobs = jobs
        self._paces: dict[tuple[UUID, int], Pace] = {}
        self._lock = Lock()

    def of(self, job: Job) -> Pace:
        with self._lock:
            return self._paces.setdefault((job.id, job.attempt), self._new(job))

    def _new(self, job: Job) -> Pace:
        if job.plan.max_per_second is None:
            return Pace(None)
        return Pace(job.plan.max_per_second / max(1, len(self._jobs.workers())))
