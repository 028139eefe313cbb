"""What a batch job costs over the bare pipeline on the same photos, and what a worker more brings.

Run with `make bench`; nothing here is asserted but that the work was done. Workers are pinned to
one core each, so that two can be compared with one; servers and clients share what is left.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import pytest
from rich.console import Console
from rich.table import Table

from service.core.job import ENDED, Job, JobState, Step
from service.usecases.jobs import steered
from tests.archives import meter_photos, numbered
from tests.records import NOON
from tests.servers.s3 import S3Server
from tests.service.commands import Workplace
from tests.sites import Site, opened_site

PHOTOS, LONGER_PX, ROUNDS = 512, 1280, 1
TINY_OBJECTS = 20_000
CORES = sorted(os.sched_getaffinity(0))

BARE = """
import sys, time
from pathlib import Path
from models.release import optimizer_of
from service.core.photo import Limits
from service.imaging.probe import photo_of
from service.settings import BUNDLED_MODEL
optimizer = optimizer_of(BUNDLED_MODEL)
contents = [path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())]
optimizer.optimized(photo_of(contents[0], Limits()))
started = time.perf_counter()
for content in contents:
    optimizer.optimized(photo_of(content, Limits()))
print(time.perf_counter() - started)
"""


@pytest.fixture
def site(tmp_path: Path, s3_server: S3Server, postgresql_url: str) -> Iterator[Site]:
    with opened_site(Workplace(tmp_path), s3_server, postgresql_url) as site:
        yield site


@contextmanager
def pinned_worker(site: Site, core: int) -> Iterator[None]:
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})  # for the child, which counts its cores as it starts
    with site.worker():
        os.sched_setaffinity(0, all_cores)
        yield


def run_s(site: Site, job: Job) -> float:
    """Seconds from the first item to the end, by the ledger's own clock."""
    ended = site.once(job, lambda job: job.state in ENDED, within_s=1800)
    assert ended.state is JobState.COMPLETE, ended.error
    assert ended.started_at is not None
    assert ended.finished_at is not None
    return (ended.finished_at - ended.started_at).total_seconds()


def job_s(site: Site, *, workers: int, round_: int) -> float:
    """A job over photos that nobody has seen before, its workers warm when it begins."""
    photos = meter_photos(longer_px=LONGER_PX)
    for number in range(PHOTOS):
        content = numbered(photos[number % len(photos)], 100_000 * (10 * round_ + workers) + number)
        site.archive.put(f"{workers}/{round_}/{number:05}.jpg", content, media_type="image/jpeg")
    with ExitStack() as running:
        for core in CORES[:workers]:
            running.enter_context(pinned_worker(site, core))
        site.until_alive(workers)
        job = site.created("--confirm", source=f"{site.source}{workers}/{round_}/")
        site.once(job, lambda job: job.state is JobState.AWAITING_CONFIRMATION)
        steered(site.jobs, job.id, step=Step.CONFIRM, at=NOON)
        return run_s(site, job)


def bare_s(folder: Path) -> float:
    command = ["taskset", "-c", str(CORES[0]), sys.executable, "-c", BARE, str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(said.stdout)


def test_a_batch_job_against_the_bare_pipeline(site: Site, tmp_path: Path) -> None:
    photos = meter_photos(longer_px=LONGER_PX)
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number:05}.jpg").write_bytes(numbered(photos[number % len(photos)], number))
    bare, one, two = [], [], []
    for round_ in range(ROUNDS):
        bare.append(bare_s(folder))
        one.append(job_s(site, workers=1, round_=round_))
        if len(CORES) > 1:
            two.append(job_s(site, workers=2, round_=round_))
    table = Table("", "s", "photos/s", "ratio")
    pipeline = median(bare)
    for name, taken, against in (
        ("bare pipeline, one core", bare, bare),
        ("batch job, one worker on one core", one, bare),
        ("batch job, two workers on two cores", two, one),
    ):
        if taken:
            seconds = median(taken)
            ratio = median(against) / seconds
            table.add_row(name, f"{seconds:.1f}", f"{PHOTOS / seconds:.1f}", f"{ratio:.2f}")
    Console().print(f"\n{PHOTOS} photos of {LONGER_PX} px, medians of {ROUNDS}", table)
    assert pipeline > 0


def test_what_an_object_costs_beside_its_photo(site: Site) -> None:
    """Tiny objects that are no photos: all that is left is listing, engine, ledger and reading."""
    for number in range(TINY_OBJECTS):
        site.archive.put(f"{number:07}.txt", b"no photo %d" % number, media_type="text/plain")
    with site.worker():
        site.until_alive(1)
        job = site.created("--max-failed-fraction", "1")
        running_s = run_s(site, job)
        ended = site.job(job.id)
    assert ended.started_at is not None
    listing_s = (ended.started_at - ended.created_at).total_seconds()
    table = Table("", "ms an object")
    table.add_row("listed and frozen", f"{listing_s / TINY_OBJECTS * 1000:.2f}")
    table.add_row("read, refused, settled", f"{running_s / TINY_OBJECTS * 1000:.2f}")
    Console().print(f"\n{TINY_OBJECTS} tiny objects on PostgreSQL and S3", table)
    assert ended.counts.failed == TINY_OBJECTS
