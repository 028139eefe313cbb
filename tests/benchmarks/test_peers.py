"""One process's way of a photo against its peers' and against floors: what is asked, and what is.

Run with `make bench`. Processor time of the whole process on one core, each way once a round, in
turn; ratios are of medians in the same run. OpenCV and libvips take part where they are installed
(`pip install 'metercrop[bench]'`). Nothing is asserted.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from io import BytesIO
from math import prod
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from models.export import Calibration, Label, export
from models.recipe import read_recipe
from models.release import card_of, optimizer_of, segmenter_of
from service.core.crop import Crop
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.probe import photo_of
from service.ports import Segmenter
from service.settings import BUNDLED_MODEL, Device
from service.usecases.optimize import Optimizer
from tests.benchmarks.test_jpeg import (
    by_library,
    by_opencv,
    by_pillow,
    by_pillow_in_draft,
    by_simplejpeg,
    by_vips,
    crop_in,
    cropped_by_pillow,
    exactly,
    one_core,
    rendered_jpeg,
    scan_of,
)

ROUNDS = 9
SIZES = {"10 MP": (3648, 2736), "12 MP": (4000, 3000)}
NOISE = {"smooth": 0.0, "noisy as a phone's": 4.0}
PLAIN = "Pillow: decode, resize, crop, encode"
REDUCING = "Pillow with reducing_gap"
"""Pillow's own short cut to a small picture, which few know."""
OURS = "metercrop: thumbnail, exact crop"
PHOTOS_AT_ONCE = 24
METERS = {"a meter near by": 308, "a meter farther away": 326}
"""Seeds: crops of a sixth and of a fourteenth, and a third fewer bytes in the second photo."""
FULL_WIDTH = 64
"""The paper's, of the first level."""

Way = Callable[[], object]


def by_pillow_plainly(content: bytes, box: Box) -> bytes:
    """As it is mostly written: no `reducing_gap`."""
    with Image.open(BytesIO(content)) as image:
        image.convert("RGB").resize(
            (256, round(256 * image.height / image.width)), Image.Resampling.BILINEAR
        )
        return cropped_by_pillow(image, box)


def medians_ms(ways: dict[str, Way], *, rounds: int = ROUNDS) -> dict[str, float]:
    """Each way once a round, in turn, so that a busy moment of the machine hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    with one_core():
        for _ in range(rounds):
            for name, way in ways.items():
                started = process_time()
                way()
                taken[name].append((process_time() - started) * 1000)
    return {name: median(times) for name, times in taken.items()}


def show(title: str, medians: dict[str, float], *, against: str, as_fast_as: str) -> None:
    table = Table("way", "ms, median", f"times as fast as {against}", title=title)
    for way, ms in medians.items():
        table.add_row(way, f"{ms:.2f}", f"{medians[as_fast_as] / ms:.2f}")
    Console(width=100).print(table)


def show_asked(rows: list[tuple[str, float, float]]) -> None:
    table = Table("asked", "at least", "found", title="what is asked of it")
    for what, least, found in rows:
        table.add_row(what, f"{least:.1f}", f"{found:.2f}")
    Console(width=100).print(table)


def peers(content: bytes, box: Box) -> dict[str, Way]:
    ways: dict[str, Way] = {
        PLAIN: lambda: by_pillow_plainly(content, box),
        REDUCING: lambda: by_pillow(content, box),
        "Pillow in draft mode": lambda: by_pillow_in_draft(content, box),
        "simplejpeg": lambda: by_simplejpeg(content, box),
    }
    for name, way in (("cv2", by_opencv), ("pyvips", by_vips)):
        with suppress(ImportError):
            ways[name] = partial(way, import_module(name), content, box)
    return ways


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("size", SIZES)
def test_jpeg_path(size: str, noise: str, meter: str) -> None:
    """The crop is a twentieth of the photo."""
    content = photo_bytes(size, noise, meter)
    photo, box = photo_of(content, Limits()), crop_in(*SIZES[size])
    room = bytearray(len(content))

    def copied() -> None:
        room[:] = content

    ways: dict[str, Way] = peers(content, box) | {
        "metercrop by the library": lambda: by_library(photo, box),
        OURS: lambda: exactly(photo, box),
        "floor: one pass over the codes": lambda: scan_of(content, SIZES[size]),
        "floor: the photo copied": copied,
    }
    medians = medians_ms(ways)
    title = f"JPEG path, {size}, {noise}, {meter}: {len(content) / 1e6:.2f} MB"
    show(title, medians, against="Pillow", as_fast_as=PLAIN)
    asked = [
        ("JPEG path against Pillow's", 9.0, medians[PLAIN] / medians[OURS]),
        ("the same, Pillow with reducing_gap", 9.0, medians[REDUCING] / medians[OURS]),
    ]
    show_asked(asked)


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("noise", NOISE)
def test_photo_to_crop(noise: str, meter: str, full_width: Segmenter) -> None:
    """The full-width network takes a second and more, so there are fewer rounds."""
    content = photo_bytes("12 MP", noise, meter)
    by_peer, whole = peers(content, crop_of(content)), "Pillow + full-width Attention U-Net"
    ways = {whole: with_network(by_peer[PLAIN], full_width)}
    for name, path in networks():
        optimizer = optimizer_of(path, Device.CPU, threads=1)
        for peer, way in by_peer.items():
            ways[f"{peer} + {name} network"] = with_network(way, optimizer.segmenter)
        ways[f"metercrop, {name} network"] = partial(to_crop, optimizer, content)
        ways[f"  of it: {name} network"] = with_network(lambda: None, optimizer.segmenter)
    ways["floor: a matrix product as large"] = matrix_product(operations_of(BUNDLED_MODEL))
    medians = medians_ms(ways, rounds=5)
    show(
        f"photo to crop, 12 MP, {noise}, {meter}",
        medians,
        against="the full width",
        as_fast_as=whole,
    )
    asked = []
    for name, _ in networks():
        ours, same = medians[f"metercrop, {name} network"], medians[f"{PLAIN} + {name} network"]
        asked.append((f"Pillow + full width ({name})", 60.0, medians[whole] / ours))
        asked.append((f"Pillow + the same network ({name})", 8.0, same / ours))
    show_asked(asked)


def test_two_cores_against_one() -> None:
    """On the wall's clock; cores that share their arithmetic units cannot do twice as much."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    rows = []
    for name, pool in (("two threads", ThreadPoolExecutor), ("two processes", ProcessPoolExecutor)):
        one, two = photos_a_second(pool, cores[:1]), photos_a_second(pool, cores)
        rows.append((f"{name}, {two:.1f} a second to one's {one:.1f}", 1.8, two / one))
    show_asked(rows)


def photos_a_second(
    pool: type[ThreadPoolExecutor | ProcessPoolExecutor], cores: list[int]
) -> float:
    """The median of three; what a worker needs only once has been done."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores))
    try:
        with executor(pool, len(cores)) as workers:
            content = photo_bytes("12 MP", "smooth", "a meter near by")
            work = [content] * PHOTOS_AT_ONCE
            list(workers.map(worked, work))
            return median(rate(workers, work) for _ in range(3))
    finally:
        os.sched_setaffinity(0, before)


def executor(pool: type[ThreadPoolExecutor | ProcessPoolExecutor], workers: int) -> Executor:
    if pool is ThreadPoolExecutor:
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def rate(workers: Executor, work: list[bytes]) -> float:
    started = perf_counter()
    list(workers.map(worked, work))
    return len(work) / (perf_counter() - started)


@cache
def worker_s_optimizer() -> Optimizer:
    return optimizer_of(BUNDLED_MODEL, Device.CPU, threads=1)


def worked(content: bytes) -> int:
    return to_crop(worker_s_optimizer(), content)


def to_crop(optimizer: Optimizer, content: bytes) -> int:
    """The whole way: hashed, probed, read, looked at, decided, cut."""
    return len(optimizer.optimized(photo_of(content, Limits())).content)


@cache
def photo_bytes(size: str, noise: str, meter: str) -> bytes:
    return rendered_jpeg(*SIZES[size], noise=NOISE[noise], seed=METERS[meter])


@cache
def crop_of(content: bytes) -> Box:
    """What the shipped model finds, or a twentieth of the photo where it finds nothing."""
    photo = photo_of(content, Limits())
    decision = worker_s_optimizer().judged(photo).decision
    if isinstance(decision, Crop):
        return decision.box
    return crop_in(*photo.size)


def networks() -> list[tuple[str, Path]]:
    """The shipped one, and what it is in whole numbers."""
    int8 = BUNDLED_MODEL.with_stem(f"{BUNDLED_MODEL.stem}-int8")
    return [("fp32", BUNDLED_MODEL)] + ([("INT8", int8)] if int8.exists() else [])


def with_network(way: Way, segmenter: Segmenter) -> Way:
    """A peer's way and an inference; to find the box in its answer is given to the peer."""
    pixels = np.zeros((segmenter.description.side, segmenter.description.side, 3), np.uint8)

    def both() -> object:
        return way(), segmenter.probabilities(pixels)

    return both


@pytest.fixture(scope="module")
def full_width(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    """The paper's Attention U-Net, not trained: its time is the same."""
    recipe = read_recipe("attention_unet_16")
    recipe = replace(recipe, network=recipe.network | {"base_width": FULL_WIDTH})
    path = tmp_path_factory.mktemp("full") / "full.onnx"
    label, calibration = Label("0", "none"), Calibration(0.5, 0.5)
    sha256 = export(
        recipe, recipe.build_network().eval(), calibration=calibration, label=label, to=path
    )
    card_of(path).write_text(sha256)
    return segmenter_of(path, Device.CPU, threads=1)


def matrix_product(operations: float) -> Way:
    """Of two square matrices, in so many operations, on one core."""
    torch.set_num_threads(1)
    side = round((operations / 2) ** (1 / 3))
    one, other = torch.rand(side, side), torch.rand(side, side)
    return lambda: one @ other


def operations_of(model: Path) -> float:
    """Those of its convolutions, which are nearly all, for one photo."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(model)).graph
    shapes = {value.name: shape_of(value) for value in (*graph.value_info, *graph.output)}
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    multiplied = sum(
        prod(shapes[node.output[0]][2:]) * prod(weights[node.input[1]])
        for node in graph.node
        if node.op_type == "Conv"
    )
    return float(2 * multiplied)


def shape_of(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """The number of photos is not known, and counts as 0."""
    return tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
