"""A worker's life: it tells that it lives, tends jobs, takes over from the dead, purges, packs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread
from time import monotonic
from uuid import UUID

import structlog

from service.core.errors import Unavailable
from service.core.job import FOR_WORKERS, Worker
from service.ports import JobLedger, WorkflowEngine
from service.usecases.tend_jobs import JobTender

LOOK_S = 0.2
LOOKS_SHARE = 0.02
"""At most so much of the time goes into looking at jobs, however busy machine and database are."""
LONGEST_LOOK_S = 5.0
BEAT_S = 5.0
SILENT_S = 30.0
"""A worker that has not told that it lives for so long is taken for dead."""
PURGE_S = 3600.0
RECOMPRESS_S = 600.0


@dataclass(slots=True)
class Watch:
    """Since when each worker has said nothing new, by this process's own clock.

    Its clock and theirs may differ, so what counts is that a heartbeat changes, not what it says.
    """

    seen: dict[str, tuple[datetime, float]] = field(default_factory=dict)

    def silent(self, workers: tuple[Worker, ...], *, now_s: float) -> list[str]:
        """Ids of those whose last heartbeat came `SILENT_S` ago or longer."""
        known = {each.id: (each.seen_at, now_s) for each in workers}
        for each in workers:
            before = self.seen.get(each.id)
            if before is not None and before[0] == each.seen_at:
                known[each.id] = before
        self.seen = known
        return [each for each, (_, since_s) in known.items() if now_s - since_s >= SILENT_S]


@dataclass(slots=True)
class WorkerLife:
    """Runs until `stop` is set; outages are waited for."""

    me: Worker
    jobs: JobLedger
    engine: WorkflowEngine
    tender: JobTender
    purge: Callable[[], None]
    recompress: Callable[[], None]
    clock: Callable[[], datetime]
    stop: Event
    watch: Watch = field(default_factory=Watch)

    def run(self) -> None:
        self._live(lambda: True)

    def run_until_rest(self, job_id: UUID) -> None:
        """Until that job has ended, is paused, or waits for confirmation."""
        self._live(lambda: self._is_due(job_id))

    def _live(self, goes_on: Callable[[], bool]) -> None:
        """In threads of their own, for a long purge or list must not look like death."""
        ended = Event()
        duties = (
            (self._beat, BEAT_S),
            (self.purge, PURGE_S),
            (self.recompress, RECOMPRESS_S),
        )
        threads = [Thread(target=_every, args=(*duty, ended), daemon=True) for duty in duties]
        for thread in threads:
            thread.start()
        try:
            while not self.stop.is_set():
                begun = monotonic()
                if not _waited_for(lambda: self._tended(goes_on)):
                    return
                self.stop.wait(pause_s(monotonic() - begun))
        finally:
            ended.set()
            threads[0].join()

    def _tended(self, goes_on: Callable[[], bool]) -> bool:
        self.tender.tend()
        return goes_on()

    def _is_due(self, job_id: UUID) -> bool:
        job = self.jobs.job(job_id)
        return job is not None and job.state in FOR_WORKERS

    def _beat(self) -> None:
        now = self.clock()
        self.jobs.beat(Worker(self.me.id, self.me.host, self.me.started_at, now))
        for dead in self.watch.silent(self.jobs.workers(), now_s=monotonic()):
            if dead != self.me.id:
                adopted = self.engine.adopt(dead)
                self.jobs.forget_worker(dead)
                structlog.get_logger().warning("worker.silent", worker=dead, adopted=adopted)


def pause_s(looked_s: float) -> float:
    """How long to wait after a look at the jobs that took so long."""
    return min(LONGEST_LOOK_S, max(LOOK_S, looked_s / LOOKS_SHARE))


def _every(duty: Callable[[], None], interval_s: float, ended: Event) -> None:
    while True:
        with suppress(Unavailable):
            duty()
        if ended.wait(interval_s):
            return


def _waited_for(work: Callable[[], bool]) -> bool:
    """What `work` says, True while it is kept from saying so."""
    try:
        return work()
    except Unavailable as error:
        structlog.get_logger().warning("worker.waits", code=error.code, why=str(error))
        return True
