"""Thumbnails in batches: on a GPU plain, bound to its buffers and as CUDA graphs; and on a CPU.

Run with `make bench ARGS="-k gpu"`; medians of ways that take turns. Nothing is asserted; without
a GPU the first two say so and end.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from service.adapters.onnx import load_segmenter
from service.adapters.onnx_buckets import LARGEST, cuda_buckets, sizes_for, warm_buckets
from service.adapters.onnx_session import (
    INPUT,
    OUTPUT,
    cpu_session,
    cuda_is_present,
    cuda_session,
)
from service.settings import BUNDLED_MODEL, Device
from tests.servers.cores import last_core, on_cores

ROUNDS = 31
ROUNDS_ON_A_CPU = 5
SIDE = 256
SIZES = sizes_for(LARGEST)
CALLERS = (1, 4, 16, 32)
ASKED = 64
"""By each caller, one after the other."""

Way = Callable[[list[NDArray[np.uint8]]], object]


def test_batches_on_a_gpu() -> None:
    if not is_gpu_here():
        return
    content = BUNDLED_MODEL.read_bytes()
    plain = cuda_session(content, graphs=False)
    bound = warm_buckets(plain, "cuda", sizes=SIZES, side=SIDE)
    graphs = cuda_buckets(partial(cuda_session, content), "cuda", sizes=SIZES, side=SIDE)
    ways: dict[str, Way] = {
        "plain": lambda batch: plain.run([OUTPUT], {INPUT: np.stack(batch)}),
        f"bound: {bound.way}": bound.outcomes,
        f"graphs: {graphs.way}": graphs.outcomes,
    }
    show("batches on a GPU", medians_ms(ways, rounds=ROUNDS, clock=perf_counter))


def test_callers_of_one_gpu() -> None:
    """What each caller's thumbnails make together, gathered as the service gathers them."""
    if not is_gpu_here():
        return
    table = Table("callers", "gathered as", "thumbnails/s", title="callers of one GPU")
    for callers in CALLERS:
        segmenter = load_segmenter(BUNDLED_MODEL, Device.CUDA, threads=1, callers=callers)
        photos = thumbnails(ASKED) * callers
        with ThreadPoolExecutor(callers) as pool:
            seconds = median(wall_s(pool, segmenter.probabilities, photos) for _ in range(3))
        table.add_row(f"{callers}", segmenter.way, f"{len(photos) / seconds:.0f}")
        segmenter.close()
    Console(width=120).print(table)


def test_batches_on_a_cpu() -> None:
    """Processor time on one core: why the service runs one photo at a time there."""
    session = cpu_session(BUNDLED_MODEL.read_bytes(), threads=1)
    ways: dict[str, Way] = {
        "plain": lambda batch: session.run([OUTPUT], {INPUT: np.stack(batch)}),
    }
    with on_cores({last_core()}):
        show(
            "batches on one core",
            medians_ms(ways, rounds=ROUNDS_ON_A_CPU, clock=process_time),
        )


def is_gpu_here() -> bool:
    if cuda_is_present():
        return True
    Console().print("no CUDA device: nothing is measured")
    return False


def medians_ms(
    ways: dict[str, Way], *, rounds: int, clock: Callable[[], float]
) -> dict[tuple[int, str], float]:
    """By size and way, a batch; each once a round, in turn, after one that warms it."""
    taken: dict[tuple[int, str], list[float]] = {(s, way): [] for s in SIZES for way in ways}
    for size, way in taken:
        ways[way](thumbnails(size))
    for _ in range(rounds):
        for (size, way), times in taken.items():
            batch = thumbnails(size)
            started = clock()
            ways[way](batch)
            times.append((clock() - started) * 1000)
    return {each: median(times) for each, times in taken.items()}


def show(title: str, medians: dict[tuple[int, str], float]) -> None:
    table = Table("photos", "way", "ms a batch", "thumbnails/s", title=title)
    for (size, way), ms in medians.items():
        table.add_row(f"{size}", way, f"{ms:.2f}", f"{size / ms * 1000:.0f}")
    Console(width=120).print(table)


def wall_s(
    pool: ThreadPoolExecutor,
    ask: Callable[[NDArray[np.uint8]], object],
    photos: list[NDArray[np.uint8]],
) -> float:
    started = perf_counter()
    list(pool.map(ask, photos))
    return perf_counter() - started


def thumbnails(count: int) -> list[NDArray[np.uint8]]:
    noise = np.random.default_rng(count)
    return list(noise.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8))
