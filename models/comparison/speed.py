"""Milliseconds of all rows on the same machine, measured in turns, so that none is favoured."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
from tqdm import tqdm

from models.classical import METHODS
from models.comparison.classical_way import Method, found_in
from models.comparison.entrants import Entrant
from models.comparison.scenes import Scene
from models.serving import optimizer_of
from service.adapters.onnx import cuda_is_present
from service.core.errors import Misconfigured
from service.imaging.raw_frame import raw_frame
from service.settings import Device
from service.usecases.optimize import Optimizer

CPUINFO = Path("/proc/cpuinfo")


def ms_at_one_thread(
    entrants: Sequence[Entrant], scene: Scene, *, repeats: int
) -> dict[str, float]:
    """Of the mask of one letterboxed photo, by the names of the networks and methods."""
    loaded = {one.name: optimizer_of(one.files[0], Device.CPU, threads=1) for one in entrants}
    like = next(iter(loaded.values()))
    calls = {name: _inference(each, scene) for name, each in loaded.items()}
    calls |= {name: _classical(method, like, scene) for name, method in METHODS.items()}
    with _opencv_at_one_thread():
        return interleaved_ms(calls, repeats=repeats, doing="timing at one thread")


def ms_on_gpu(entrants: Sequence[Entrant], scene: Scene, *, repeats: int) -> dict[str, float]:
    """Of those networks that run there as a whole; of none without a GPU."""
    calls: dict[str, Callable[[], object]] = {}
    for one in entrants if cuda_is_present() else ():
        try:
            optimizer = optimizer_of(one.files[0], Device.CUDA, threads=1)
        except Misconfigured:
            continue
        calls[one.name] = _inference(optimizer, scene)
    return interleaved_ms(calls, repeats=repeats, doing="timing on the GPU") if calls else {}


def interleaved_ms(
    calls: Mapping[str, Callable[[], object]], *, repeats: int, doing: str
) -> dict[str, float]:
    """The median of each, over `repeats` rounds in which each is called once, after one more."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    with tqdm(total=(repeats + 1) * len(calls), desc=doing) as bar:
        for number in range(repeats + 1):
            for name, call in calls.items():
                started = perf_counter()
                call()
                if number > 0:  # the first round warms caches
                    taken[name].append((perf_counter() - started) * 1e3)
                bar.update()
    return {name: median(each) for name, each in taken.items()}


def processor(cpuinfo: Path = CPUINFO) -> str:
    """What the system calls it; the architecture where it has no better name."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _inference(optimizer: Optimizer, scene: Scene) -> Callable[[], object]:
    network = optimizer.segmenter
    side = network.description.side
    pixels, _ = raw_frame(scene.photo, side=side).model_input(side=side)
    return lambda: network.probabilities(pixels)


def _classical(method: Method, like: Optimizer, scene: Scene) -> Callable[[], object]:
    side = like.segmenter.description.side
    pixels, letterbox = raw_frame(scene.photo, side=side).model_input(side=side)
    return lambda: found_in(pixels, letterbox, method)


@contextmanager
def _opencv_at_one_thread() -> Iterator[None]:
    """The classical methods are made of it."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
