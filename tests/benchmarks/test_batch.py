"""What a batch job costs over the bare pipeline on the same photos, and what a worker more brings.

Run with `make bench` on a machine that does nothing else; nothing here is asserted but that the
work was done. A worker has one core, and is measured while it works: from the time that a tenth of
the photos is done until nine tenths are, by the moments that its items tell. PostgreSQL, the S3
server and this driver have the cores that are left; where two workers leave none, all share two
cores, and no more than those can give is to be had: the ceiling that is told beside what was
reached, from the processor time that one photo took of worker and servers. Where the system gives
shares of cores, one and two workers are also measured with half of the first core each, so that
the servers have theirs to themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from rich.console import Console
from rich.table import Table

from service.core.job import ENDED, Job, JobState, Step
from service.usecases.jobs import steered
from tests.archives import meter_photos, numbered
from tests.benchmarks.photos import grainy
from tests.records import NOON
from tests.servers.cores import cpu_s, on_cores, pin
from tests.servers.postgres import PostgresServer
from tests.servers.s3 import S3Server
from tests.servers.shares import share_of_a_core, shares_are_given, within
from tests.service.commands import Workplace
from tests.sites import Site, opened_site

CORES = sorted(os.sched_getaffinity(0))
TINY_OBJECTS = int(os.environ.get("METERCROP_BENCH_OBJECTS", "20000"))
NO_FOLDER = Path("no folder, so that photos are rendered")
PHOTOS = int(os.environ.get("METERCROP_BENCH_PHOTOS", "512"))
BARE_PHOTOS = 192
TURNS = 3
LINES = (
    "bare pipeline on one core",
    "one worker on one core",
    "two workers on two cores",
    "one worker on half a core",
    "two workers on half a core each",
)
ALONE = {LINES[0], LINES[3]}
"""Not compared with the line above."""
WARM_PHOTOS = 4
WITHIN_S = 7200.0
LOOK_S = 0.5
SECOND = timedelta(seconds=1)
WHOLE, HALF = 1.0, 0.5
"""Of a core."""

BARE = """
import sys, time
from pathlib import Path
from service.settings import BUNDLED_MODEL
from tests.benchmarks.ways import served, to_crop
optimizer = served(BUNDLED_MODEL)
contents = [path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())]
for content in contents[:int(sys.argv[2])]:
    to_crop(optimizer, content)
started, used = time.perf_counter(), time.process_time()
for content in contents:
    to_crop(optimizer, content)
print(time.perf_counter() - started, time.process_time() - used)
"""

READING = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from service.adapters.archives import OpenedArchives
from service.bootstrap.keeping import THREADS_PER_CPU, s3_account_of
from service.settings import read_settings
root, prefix = sys.argv[1:]
archive = OpenedArchives(s3_account_of(read_settings({}))).opened(root)
found = list(archive.objects(prefix))
started, used = time.perf_counter(), time.process_time()
with ThreadPoolExecutor(THREADS_PER_CPU) as pool:
    read = sum(1 for content in pool.map(archive.read, found) if content)
assert read == len(found)
print(time.perf_counter() - started, time.process_time() - used)
"""


@dataclass(frozen=True, slots=True)
class Load:
    """So many photos, of that many different ones."""

    named: str
    photos: tuple[bytes, ...]
    count: int

    def content(self, number: int, *, salt: int) -> bytes:
        photo = self.photos[number % len(self.photos)]
        return numbered(photo, 100_000 * salt + number)


@dataclass(frozen=True, slots=True)
class Measured:
    """Photos a second at the middle of the work; processor seconds a photo over all of it."""

    per_s: float
    worker_s: float
    servers_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all objects together, by the clock and of the worker's processor."""

    taken_s: float
    used_s: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.taken_s + other.taken_s, self.used_s + other.used_s)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.taken_s - other.taken_s, self.used_s - other.used_s)


@dataclass(frozen=True, slots=True)
class Rig:
    """Workers get the first cores, a core each; servers and driver the others, if there are any."""

    site: Site
    server_pids: tuple[int, ...]

    def place(self, cores: int) -> None:
        """Servers and driver beside workers on so many."""
        others = set(CORES[cores:]) or set(CORES)
        for pid in (*self.server_pids, os.getpid()):
            pin(pid, others)

    def servers_s(self) -> float:
        return sum(map(cpu_s, self.server_pids))

    def measured(self, load: Load, *, turn: int, workers: int, share: float) -> Measured:
        """A job over photos that nobody has seen before, its workers warm when it begins.

        Each has a core, or its share of the first one.
        """
        cores = CORES[:workers] if share == WHOLE else CORES[:1] * workers
        self.place(len(set(cores)))
        salt = 100 * turn + 10 * workers + (share == WHOLE)
        folder = f"{load.named}/{salt}"
        self._fill(load, folder, salt=salt)
        with ExitStack() as running:
            pids = [self._worker(running, core, share) for core in cores]
            self.site.until_alive(workers)
            job = self.site.created("--confirm", source=f"{self.site.source}{folder}/")
            self.until(job, {JobState.AWAITING_CONFIRMATION})
            before = sum(map(cpu_s, pids)), self.servers_s()
            steered(self.site.jobs, job.id, step=Step.CONFIRM, at=NOON)
            ended = self.until(job, ENDED)
            after = sum(map(cpu_s, pids)), self.servers_s()
        assert ended.state is JobState.COMPLETE, ended.error
        assert ended.counts.cropped + ended.counts.kept_original == load.count
        used = [(end - start) / load.count for start, end in zip(before, after, strict=True)]
        return Measured(self._per_s(job), *used)

    def _worker(self, running: ExitStack, core: int, share: float) -> int:
        with ExitStack() as here:
            here.enter_context(on_cores({core}))
            if share != WHOLE:
                here.enter_context(within(running.enter_context(share_of_a_core(share))))
            return running.enter_context(self.site.worker()).pid

    def _fill(self, load: Load, folder: str, *, salt: int) -> None:
        for number in range(load.count):
            content = load.content(number, salt=salt)
            key = f"{folder}/{number:05}.jpg"
            self.site.archive.put(key, content, media_type="image/jpeg")

    def _per_s(self, job: Job) -> float:
        """Without the first and the last tenth, when not all workers have something to do."""
        ends = sorted(item.finished_at for item in self.site.items(job) if item.finished_at)
        tenth = len(ends) // 10
        middle = ends[tenth : len(ends) - tenth]
        return (len(middle) - 1) / ((middle[-1] - middle[0]) / SECOND)

    def until(self, job: Job, states: AbstractSet[JobState]) -> Job:
        """Looks seldom, as that takes time of the servers."""
        deadline = time.monotonic() + WITHIN_S
        while (now := self.site.job(job.id)).state not in states:
            assert time.monotonic() < deadline, f"{now.state} {now.counts}"
            time.sleep(LOOK_S)
        return now


@pytest.fixture
def rig(
    tmp_path: Path, lean_s3_server: S3Server, postgres: PostgresServer, postgresql_url: str
) -> Iterator[Rig]:
    with opened_site(Workplace(tmp_path), lean_s3_server, postgresql_url) as site:
        rig = Rig(site, (lean_s3_server.process.pid, postgres.process.pid))
        yield rig
        rig.place(0)


@pytest.mark.parametrize("kind", ["phone", "smooth", "small"])
def test_a_batch_job_against_the_bare_pipeline(rig: Rig, tmp_path: Path, kind: str) -> None:
    """As phones write them, 12 megapixels with grain; the same as drawn; and as some apps send."""
    photos = meter_photos(longer_px=1280 if kind == "small" else 4000, folder=NO_FOLDER)
    if kind == "phone":
        photos = tuple(map(grainy, photos))
    load = Load(kind, photos, PHOTOS)
    turns = [turn_of(rig, load, tmp_path / f"{turn}", turn=turn) for turn in range(TURNS)]
    size = sum(map(len, photos)) / len(photos) / 1e6
    title = f"{PHOTOS} photos, {kind}, {size:.1f} MB each, medians of {TURNS} turns"
    Console().print(f"\n{title}", _table(turns))
    if len(CORES) > 1:
        Console().print(_ceiling(turns))


def turn_of(rig: Rig, load: Load, folder: Path, *, turn: int) -> tuple[Measured, ...]:
    """The bare pipeline, one worker, and two where there are cores for them."""
    places = [(1, WHOLE)]
    if len(CORES) > 1:
        places += [(2, WHOLE)]
        places += [(1, HALF), (2, HALF)] if shares_are_given() else []
    workers = [
        rig.measured(load, turn=turn, workers=workers, share=share) for workers, share in places
    ]
    return (bare_pipeline(load, folder), *workers)


def test_what_an_object_costs_beside_its_photo(rig: Rig) -> None:
    """Tiny objects that are no photos: all that is left is listing, engine, ledger and reading."""
    site = rig.site
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: _put_tiny(site, number), range(TINY_OBJECTS)))
    rig.place(1)
    reading = Cost(*_reading_alone(site))
    with on_cores({CORES[0]}), site.worker() as worker:
        rig.place(1)
        site.until_alive(1)
        begun_s = cpu_s(worker.pid)
        job = site.created("--confirm", "--max-failed-fraction", "1")
        rig.until(job, {JobState.AWAITING_CONFIRMATION})
        listed = Cost((datetime.now(UTC) - job.created_at) / SECOND, cpu_s(worker.pid) - begun_s)
        steered(site.jobs, job.id, step=Step.CONFIRM, at=job.created_at)
        ended = rig.until(job, ENDED)
        used_s = cpu_s(worker.pid) - begun_s - listed.used_s
    assert ended.counts.failed == TINY_OBJECTS
    moments = sorted(item.finished_at for item in site.items(job) if item.finished_at)
    worked = Cost((moments[-1] - moments[0]) / SECOND, used_s)
    table = Table("ms an object", "time", "of the core")
    for name, cost in (
        ("listed and frozen", listed),
        ("read, refused, settled", worked),
        ("of that, reading alone", reading),
        ("engine, ledger and listing", listed + worked - reading),
    ):
        table.add_row(name, *(f"{1000 * each / TINY_OBJECTS:.2f}" for each in astuple(cost)))
    Console().print(f"\n{TINY_OBJECTS} tiny objects, one worker on one core", table)


def bare_pipeline(load: Load, folder: Path) -> Measured:
    """The photos one after the other from memory, on the first core."""
    folder.mkdir()
    for number in range(BARE_PHOTOS):
        (folder / f"{number:05}.jpg").write_bytes(load.content(number, salt=0))
    taken_s, used_s = _said(BARE, str(folder), str(WARM_PHOTOS), environment=None)
    return Measured(BARE_PHOTOS / taken_s, used_s / BARE_PHOTOS)


def _reading_alone(site: Site) -> tuple[float, float]:
    """Seconds, and those of processor time, as a worker reads: by as many threads."""
    root, _, prefix = site.source.removeprefix("s3://").partition("/")
    return _said(READING, f"s3://{root}", prefix, environment=site.workplace.environment)


def _said(code: str, *arguments: str, environment: dict[str, str] | None) -> tuple[float, float]:
    """The two numbers that it prints, run on the first core."""
    with on_cores({CORES[0]}):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    first, second = map(float, done.stdout.split())
    return first, second


def _put_tiny(site: Site, number: int) -> None:
    site.archive.put(f"{number:07}.txt", b"no photo %d" % number, media_type="text/plain")


def _table(turns: Sequence[Sequence[Measured]]) -> Table:
    """Each line's ratio is to the one above it, in the same turn; half a core begins anew."""
    table = Table("", "photos/s", "ratio", "worker ms", "servers ms")
    for number, line in enumerate(zip(*turns, strict=True)):
        begins = LINES[number] in ALONE
        ratios = [turn[number].per_s / turn[number - 1].per_s for turn in turns if not begins]
        middle = _median(line)
        used = (f"{1000 * each:.0f}" for each in (middle.worker_s, middle.servers_s))
        ratio = f"{median(ratios):.2f}" if ratios else ""
        table.add_row(LINES[number], f"{middle.per_s:.2f}", ratio, *used)
    return table


def _median(measured: Sequence[Measured]) -> Measured:
    return Measured(*(median(column) for column in zip(*map(astuple, measured), strict=True)))


def _ceiling(turns: Sequence[Sequence[Measured]]) -> str:
    """What the cores allow two workers, by the processor time that one and its servers took."""
    _, one, two, *_ = (_median(line) for line in zip(*turns, strict=True))
    alone = 2 / one.worker_s
    shared = len(CORES) / (one.worker_s + one.servers_s)
    ceiling = min(alone, shared)
    return (
        f"ceiling of two workers on {len(CORES)} cores: {ceiling:.2f} photos/s, "
        f"{ceiling / one.per_s:.2f} times one worker; reached: {two.per_s / ceiling:.2f} of it"
    )
