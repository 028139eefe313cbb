"""A job's list is frozen: what there is, how large, and in which version."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from threading import Event
from typing import Generic, TypeVar
from uuid import UUID

from service.core.archive import ArchivedObject, fit_for_a_list, is_below, source_of
from service.core.errors import MetercropError, RequestRejected, Unavailable
from service.core.job import Job, JobPlan, JobState
from service.ports import Archives, JobLedger
from service.usecases.manifest import ManifestEntry, entries_of
from service.usecases.patience import Interrupted, Patience

T = TypeVar("T")
PAGE = 1000
"""Objects that are added in one transaction."""
UNKNOWN = "?"
"""For an ETag, of an object that may be there and does not tell."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Lists a job's objects into the ledger, page by page, so that a crash costs a page."""

    jobs: JobLedger
    archives: Archives
    pool: Executor
    """Looks up what a manifest names."""
    clock: Callable[[], datetime]
    stop: Event

    def prepare(self, job_id: UUID) -> None:
        """The job is ready then, or awaits its confirmation, or has failed with why.

        Waits for an archive that does not answer; ends early where the job is cancelled or `stop`
        is set, and goes on from there when it is called again.
        """
        patience = Patience(self.stop)
        try:
            finished = patience.outlasts(lambda: self._list(job_id))
        except Interrupted:
            return
        except MetercropError as error:
            self._move(job_id, JobState.FAILED, error=str(error))
            return
        if finished:
            job = self.jobs.job(job_id)
            waits = job is not None and job.plan.confirm
            self._move(job_id, JobState.AWAITING_CONFIRMATION if waits else JobState.READY)

    def _list(self, job_id: UUID) -> bool:
        """Whether it came to the list's end."""
        job = self._wanted(job_id)
        if job is None:
            return False
        if job.plan.sample is not None:
            return self._list_sample(job, job.plan.sample)
        return self._list_pages(job, self._pages(job))

    def _list_pages(self, job: Job, pages: Iterator[tuple[Sequence[ArchivedObject], str]]) -> bool:
        for page, listed_after in pages:
            self._add(job, page, listed_after=listed_after)
            if self._wanted(job.id) is None:
                return False
        return True

    def _pages(self, job: Job) -> Iterator[tuple[Sequence[ArchivedObject], str]]:
        """From where the last page that was added ended, each with its own end."""
        if job.plan.manifest is None:
            for page in _in_pages(self._listed(job.plan, after=job.listed_after)):
                yield page, page[-1].key
            return
        line = int(job.listed_after or 0)
        for entries in _in_pages(islice(self._entries(job), line, None)):
            line += len(entries)
            yield self._looked_up(entries), str(line)

    def _list_sample(self, job: Job, size: int) -> bool:
        """A uniform sample of everything, drawn in one pass; a crash starts it again."""
        draw = _Reservoir[ArchivedObject | ManifestEntry](size, seed=job.id.int)
        found: Iterable[ArchivedObject | ManifestEntry] = (
            self._listed(job.plan) if job.plan.manifest is None else self._entries(job)
        )
        known_bytes = 0
        for page in _in_pages(iter(found)):
            for each in page:
                draw.add(each)
                known_bytes += each.bytes or 0
            if self._wanted(job.id) is None:
                return False
        if job.counts.total == 0:
            sample = self._looked_up(draw.shuffled())
            self._add(job, sample, listed_after="")
            known_bytes = known_bytes or _scaled(sample, draw.seen)
            self.jobs.set_found(job.id, objects=draw.seen, original_bytes=known_bytes)
        return True

    def _add(self, job: Job, found: Sequence[ArchivedObject], *, listed_after: str) -> None:
        fit = [fit_for_a_list(each) for each in found]
        self.jobs.add_items(job.id, fit, listed_after=listed_after)

    def _listed(self, plan: JobPlan, *, after: str = "") -> Iterator[ArchivedObject]:
        root, prefix = source_of(plan.source or "")
        return self.archives.opened(root).objects(prefix, after=after)

    def _entries(self, job: Job) -> Iterator[ManifestEntry]:
        source = job.plan.source
        root = None if source is None else source_of(source)[0]
        for entry in entries_of(job.plan.manifest or "", self.archives, root=root):
            _check_folder(entry, job.plan)
            yield entry

    def _looked_up(
        self, entries: Sequence[ManifestEntry | ArchivedObject]
    ) -> Sequence[ArchivedObject]:
        """With size and ETag; what is not there comes without an ETag."""
        return list(self.pool.map(self._looked_up_one, entries))

    def _looked_up_one(self, entry: ManifestEntry | ArchivedObject) -> ArchivedObject:
        if isinstance(entry, ArchivedObject):
            return entry
        if entry.bytes is not None and entry.etag:
            return ArchivedObject(entry.root, entry.key, entry.bytes, entry.etag, entry.version_id)
        missing = ArchivedObject(entry.root, entry.key, 0, "", entry.version_id)
        try:
            found = self.archives.opened(entry.root).find(entry.key, version_id=entry.version_id)
        except Unavailable:
            raise
        except MetercropError:  # forbidden, or no name that can be asked for: reading says which
            return replace(missing, etag=UNKNOWN)
        return found or missing

    def _wanted(self, job_id: UUID) -> Job | None:
        job = self.jobs.job(job_id)
        if self.stop.is_set() or job is None or job.state is not JobState.PREPARING:
            return None
        return job

    def _move(self, job_id: UUID, to: JobState, *, error: str | None = None) -> None:
        self.jobs.move(job_id, to=to, only_from={JobState.PREPARING}, at=self.clock(), error=error)


def _check_folder(entry: ManifestEntry, plan: JobPlan) -> None:
    """Raises `RequestRejected` `job.manifest`."""
    if plan.folders is None or not entry.root.startswith("file://"):
        return
    address = f"{entry.root}/{entry.key}"
    if not is_below(address, plan.folders):
        raise RequestRejected(
            "job.manifest",
            f"the manifest names {address}, which is in none of the folders that "
            "METERCROP_JOB_FOLDERS gives to jobs asked for over HTTP: leave it out",
        )


class _Reservoir(Generic[T]):
    """A uniform sample of a stream (Vitter 1985, algorithm R)."""

    def __init__(self, size: int, *, seed: int) -> None:
        self._drawn: list[T] = []
        self.seen = 0
        self._size = size
        self._random = random.Random(seed)  # noqa: S311  a sample, no secret

    def shuffled(self) -> list[T]:
        """The sample in random order, so that any part of it is a sample too."""
        drawn = list(self._drawn)
        self._random.shuffle(drawn)
        return drawn

    def add(self, each: T) -> None:
        self.seen += 1
        if len(self._drawn) < self._size:
            self._drawn.append(each)
            return
        place = self._random.randrange(self.seen)
        if place < self._size:
            self._drawn[place] = each


def _scaled(sample: Sequence[ArchivedObject], objects: int) -> int:
    """All bytes as the sample lets expect them, where a manifest tells no sizes."""
    mean = sum(each.bytes for each in sample) / max(1, len(sample))
    return round(mean * objects)


def _in_pages(each: Iterator[T]) -> Iterator[list[T]]:
    while page := list(islice(each, PAGE)):
        yield page
