"""The items of a chunk, several at a time: one is worked on while others are read and written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from time import monotonic
from uuid import UUID

import structlog

from service.core.errors import MetercropError, Unavailable
from service.core.job import Item, ItemState, Job, JobState
from service.ports import Archives, JobLedger, Ledger, ObjectStore, Settled
from service.usecases.pace import Pace
from service.usecases.patience import Interrupted, Patience
from service.usecases.reprocess import Reprocess, Worked

SETTLE_ITEMS = 128
"""At most so many outcomes share a transaction."""
SETTLE_S = 1.0
"""An outcome is not kept waiting longer than that, and as often the job's state is looked at."""
AHEAD = 2
"""So many times the items that are begun at once are left to begin when a chunk is nearly done:
enough to do while another one is taken on."""
MIN_FINISHED = 100
"""Before so many have ended, a share of failures says little."""


class ChunkEnd(StrEnum):
    DONE = "done"
    STOPPED = "stopped"
    """The job was paused, cancelled, set going anew or has failed; what is pending stays so."""
    INTERRUPTED = "interrupted"
    """This process is to end; somebody is to go on with the chunk."""


@dataclass(frozen=True, slots=True)
class ChunkRunner:
    """Runs chunks, one or more at a time, all on one pool of threads. Set `stop` to end early."""

    jobs: JobLedger
    ledger: Ledger
    archives: Archives
    store: ObjectStore
    """Understands whole addresses as keys too."""
    reprocess: Reprocess
    pool: Executor
    depth: int
    """Items of a chunk that are begun at once."""
    pace: Callable[[Job], Pace]
    stop: Event

    def run(
        self, job_id: UUID, *, attempt: int, chunk: int, nearly_done: Callable[[], None]
    ) -> ChunkEnd:
        """Ends every item of the chunk that is pending; an outage is waited for.

        `nearly_done` is called, once or more, when it is time to take on another chunk.
        """
        patience = Patience(self.stop)
        try:
            job = patience.outlasts(lambda: self.wanted(job_id, attempt))
            if job is None:
                return ChunkEnd.STOPPED
            items = patience.outlasts(lambda: self.jobs.pending_items(job_id, chunk=chunk))
            earlier = patience.outlasts(lambda: self.jobs.earlier(items, not_of=job_id))
        except Interrupted:
            return ChunkEnd.INTERRUPTED
        return _Run(self, job, attempt, deque(items), earlier, nearly_done).to_its_end()

    def wanted(self, job_id: UUID, attempt: int) -> Job | None:
        """The job, None where this attempt is to stop; too many failures end the job here."""
        job = self.jobs.job(job_id)
        if job is None or job.state is not JobState.RUNNING or job.attempt != attempt:
            return None
        finished, failed = job.counts.finished, job.counts.failed
        if finished < MIN_FINISHED or failed <= job.plan.max_failed_fraction * finished:
            return job
        self.jobs.move(
            job_id,
            to=JobState.FAILED,
            only_from={JobState.RUNNING},
            at=self.reprocess.clock(),
            error=f"{failed} of {finished} objects failed, more than the share of "
            f"{job.plan.max_failed_fraction:g} that max_failed_fraction allows; look at the "
            "failed items, then retry them or start anew with a higher share",
        )
        return None


@dataclass(slots=True)
class _Run:
    """One chunk on its way."""

    runner: ChunkRunner
    job: Job
    attempt: int
    todo: deque[Item]
    earlier: dict[int, Item]
    nearly_done: Callable[[], None]
    running: dict[Future[Worked], Item] = field(default_factory=dict)
    unsettled: list[Worked] = field(default_factory=list)
    looked_at: float = field(default_factory=monotonic)
    end: ChunkEnd = ChunkEnd.DONE

    def to_its_end(self) -> ChunkEnd:
        patience = Patience(self.runner.stop)
        try:
            while self.todo or self.running:
                self._begin_some(patience)
                if len(self.todo) <= AHEAD * self.runner.depth:
                    self.nearly_done()
                self._gather(patience)
                self._settle_if_due()
            patience.outlasts(self._settle)
            patience.outlasts(lambda: self.runner.wanted(self.job.id, self.attempt))
        except Interrupted:
            self.end = ChunkEnd.INTERRUPTED
        return self.end

    def _begin_some(self, patience: Patience) -> None:
        pace = self.runner.pace(self.job)
        while self.todo and len(self.running) < self.runner.depth:
            if patience.is_waiting or not pace.allows():
                return
            item = self.todo.popleft()
            known = self.earlier.get(item.number)
            work = self.runner.reprocess.worked
            self.running[self.runner.pool.submit(work, self.job, item, earlier=known)] = item

    def _gather(self, patience: Patience) -> None:
        """Takes in what has ended; an item that met an outage is begun again later."""
        if self.running:
            ended, _ = wait(self.running, timeout=SETTLE_S / 4, return_when=FIRST_COMPLETED)
        else:
            ended = set()
            self.runner.stop.wait(SETTLE_S / 20)
        for future in ended:
            item = self.running.pop(future)
            try:
                self.unsettled.append(future.result())
            except Unavailable as error:
                self.todo.appendleft(item)
                patience.met(error)
            else:
                patience.ended()

    def _settle_if_due(self) -> None:
        """Also notices that the job is no longer wanted: then nothing more is begun."""
        due = monotonic() - self.looked_at >= SETTLE_S
        if not due and len(self.unsettled) < SETTLE_ITEMS:
            return
        self.looked_at = monotonic()
        with suppress(Unavailable):  # tried again a second later; no outcome is forgotten
            self._settle()
        if self.runner.stop.is_set():
            self._begin_no_more(ChunkEnd.INTERRUPTED)
            return
        with suppress(Unavailable):
            if self.runner.wanted(self.job.id, self.attempt) is None:
                self._begin_no_more(ChunkEnd.STOPPED)

    def _begin_no_more(self, end: ChunkEnd) -> None:
        if self.todo:
            self.end = end
        self.todo.clear()

    def _settle(self) -> None:
        for some in _batches(self.unsettled):
            pictures = [worked.picture for worked in some if worked.picture is not None]
            if pictures:
                self.runner.jobs.keep_pictures(self.job.id, pictures)
            settled = self.runner.jobs.settle(self.job.id, [worked.outcome for worked in some])
            del self.unsettled[: len(some)]
            for worked, now in zip(some, settled, strict=True):
                self._tidy(worked, now)

    def _tidy(self, worked: Worked, settled: Settled) -> None:
        """Deletes objects that nothing refers to any more. What fails, `reconcile` finds."""
        try:
            if not settled.needless:
                for key in worked.replaced:
                    self.runner.store.delete(key)
            elif settled.item.code == "already_stored":
                self._delete_needless(worked, settled.item)
        except MetercropError as error:
            structlog.get_logger().warning(
                "job.leftover", object=settled.item.object.location, why=str(error)
            )

    def _delete_needless(self, worked: Worked, item: Item) -> None:
        """What was made of bytes that were recorded under another name at the same moment."""
        written = worked.outcome.record
        owner = None if item.photo_id is None else self.runner.ledger.by_id(item.photo_id)
        if written is None or owner is None or item.state is not ItemState.SKIPPED:
            return
        needed = {owner.stored.key, *owner.keys, written.original.retained_key}
        for key in set(written.keys) - needed:
            self.runner.store.delete(key)


def _batches(unsettled: list[Worked]) -> Iterator[Sequence[Worked]]:
    while unsettled:
        yield unsettled[:SETTLE_ITEMS]
