"""What the service makes of uploads: against the naive one, the bare pipeline, and on two cores.

Run with `make bench` on a machine that does nothing else; nothing here is asserted but that all was
answered. The service has the first core, the photos come from the others. All lines of a turn are
measured one after the other, and ratios are to the same turn's. Milliseconds are of processor time
an upload, of the process alone: the servers beside it, PostgreSQL and S3, are not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import IO

import pytest
from rich.console import Console
from rich.table import Table

from service.settings import BUNDLED_MODEL
from tests.archives import meter_photos
from tests.benchmarks import naive_service
from tests.benchmarks.photos import grainy
from tests.benchmarks.test_batch import CORES, NO_FOLDER, Load, Measured, bare_pipeline
from tests.servers.cores import on_cores
from tests.servers.s3 import S3Server
from tests.service.commands import Workplace
from tests.uploads import Body, Served, form_of, served_by, serving

UPLOADS = int(os.environ.get("METERCROP_BENCH_UPLOADS", "120"))
WARM = 8
TURNS = 3
CONNECTIONS = 4
"""A core; fewer leave it idle while the disk is waited for."""
BARE, NAIVE = "the bare pipeline", "the naive service, forms"
RAW, FORMS = "the service, raw bodies", "the service, forms"
PLAIN = "raw bodies, no small picture"
"""Which the naive service does not make either."""
TWO = "as above, on two cores"

Turn = dict[str, Measured]
Bodies = Callable[[bytes], Body]


@dataclass(frozen=True, slots=True)
class Photos:
    """No photo is ever the bytes of another."""

    load: Load
    numbers: Iterator[int]

    def body(self, bodies: Bodies) -> Callable[[int], Body]:
        salt = next(self.numbers)
        return lambda number: bodies(self.load.content(number, salt=salt))


@cache
def photos_of(kind: str) -> Photos:
    """Of 12 megapixels: as drawn, and with a sensor's grain."""
    drawn = meter_photos(longer_px=4000, folder=NO_FOLDER)
    photos = drawn if kind == "drawn" else tuple(map(grainy, drawn))
    return Photos(Load(kind, photos, UPLOADS), count(1))


def raw(photo: bytes) -> Body:
    return Body(photo)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path, {"METERCROP_DEVICE": "cpu"})


@pytest.mark.parametrize("kind", ["drawn", "grainy"])
def test_uploads_to_a_folder_and_sqlite(workplace: Workplace, kind: str) -> None:
    photos = photos_of(kind)
    pictureless = without_pictures(workplace)
    with naive(workplace) as peer, on_one(workplace) as service, on_one(pictureless) as plain:
        turns = [
            {
                BARE: bare(photos),
                NAIVE: measured(peer, photos.body(form_of)),
                FORMS: measured(service, photos.body(form_of)),
                PLAIN: measured(plain, photos.body(raw)),
                RAW: measured(service, photos.body(raw)),
                **on_two(workplace, photos),
            }
            for _ in range(TURNS)
        ]
    show(f"folder and SQLite, {said(photos)}", turns)


def test_uploads_to_s3_and_postgresql(
    workplace: Workplace, lean_s3_server: S3Server, postgresql_url: str
) -> None:
    photos = photos_of("grainy")
    distributed = {"METERCROP_DATABASE_URL": postgresql_url}
    distributed |= lean_s3_server.environment(f"s3://{lean_s3_server.new_bucket()}/photos")
    place = replace(workplace, settings={**workplace.settings, **distributed})
    with on_one(place) as service:
        turns = [
            {
                BARE: bare(photos),
                FORMS: measured(service, photos.body(form_of)),
                RAW: measured(service, photos.body(raw)),
            }
            for _ in range(TURNS)
        ]
    show(f"S3 and PostgreSQL, {said(photos)}", turns)


@contextmanager
def naive(workplace: Workplace) -> Iterator[Served]:
    command = [sys.executable, naive_service.__file__, str(BUNDLED_MODEL)]

    def start(log: IO[str]) -> subprocess.Popen[str]:
        folder = str(workplace.folder / "naive")
        environment = workplace.environment
        with on_cores({CORES[0]}):
            return subprocess.Popen(
                [*command, folder], env=environment, stdout=log, stderr=log, text=True
            )

    with served_by(start, workplace.folder / "naive.log") as served:
        yield served


@contextmanager
def on_one(workplace: Workplace) -> Iterator[Served]:
    """What is started on a core stays there."""
    with ExitStack() as running:
        with on_cores({CORES[0]}):
            service = running.enter_context(serving(workplace))
        yield service


def without_pictures(workplace: Workplace) -> Workplace:
    folder = workplace.folder / "without pictures"
    folder.mkdir()
    return replace(
        workplace, folder=folder, settings={**workplace.settings, "METERCROP_CONTEXT_PX": "0"}
    )


def on_two(workplace: Workplace, photos: Photos) -> Turn:
    """Where there are two; with no third, the client takes its milliseconds of them too."""
    if len(CORES) < 2:
        return {}
    with on_cores(set(CORES[:2])), serving(workplace) as service:
        return {TWO: measured(service, photos.body(raw), cores=2)}


def bare(photos: Photos) -> Measured:
    with TemporaryDirectory() as folder:
        return bare_pipeline(photos.load, Path(folder, "photos"))


def measured(service: Served, body: Callable[[int], Body], *, cores: int = 1) -> Measured:
    """Of photos that nobody has seen before, the service warm."""
    with on_cores(set(CORES[cores:]) or set(CORES)):
        connections = CONNECTIONS * cores
        service.taken(body, range(UPLOADS, UPLOADS + WARM), connections=connections)
        before_s, sending_s = service.computed_s, process_time()
        taken_s = service.taken(body, range(UPLOADS), connections=connections)
        used_s = service.computed_s - before_s, process_time() - sending_s
        return Measured(UPLOADS / taken_s, *(each / UPLOADS for each in used_s))


def said(photos: Photos) -> str:
    size = sum(map(len, photos.load.photos)) / len(photos.load.photos) / 1e6
    return f"12 MP {photos.load.named}, {size:.1f} MB each, {UPLOADS} uploads, {TURNS} turns"


def show(title: str, turns: Sequence[Turn]) -> None:
    names = ("", "uploads/s", "of the naive", "of one core", "ms", "of the pipeline", "client ms")
    table = Table(*names, title=title)
    for line in turns[0]:
        table.add_row(
            line,
            f"{median(turn[line].per_s for turn in turns):.1f}",
            faster(turns, line, NAIVE),
            faster(turns, line, RAW) if line == TWO else "",
            f"{1000 * median(turn[line].worker_s for turn in turns):.1f}",
            ratio([turn[line].worker_s / turn[BARE].worker_s for turn in turns]),
            f"{1000 * median(turn[line].servers_s for turn in turns):.1f}",
        )
    Console().print(table)


def faster(turns: Sequence[Turn], line: str, than: str) -> str:
    return ratio([turn[line].per_s / turn[than].per_s for turn in turns if than in turn])


def ratio(ratios: Sequence[float]) -> str:
    """Their median, if there are any."""
    return f"{median(ratios):.2f}" if ratios else ""
