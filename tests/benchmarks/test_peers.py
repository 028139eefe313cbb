"""A photo's whole way against its peers' and against floors: what is asked, and what is.

Run with `make bench`; see `apart` for what is measured. OpenCV and libvips take part where they are
installed (`pip install 'metercrop[bench]'`). Nothing is asserted.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from math import prod
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import onnx
import pytest

from models.export import Calibration, Label, export
from models.recipe import read_recipe
from models.release import card_of
from models.serving import optimizer_of
from service.core.crop import Crop
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.probe import photo_of
from service.settings import BUNDLED_MODEL, Device
from service.usecases.optimize import Optimizer
from tests.benchmarks.apart import costs
from tests.benchmarks.peers import PLAIN, peers
from tests.benchmarks.photos import METERS, NOISE, SIZES, photo_bytes
from tests.benchmarks.test_jpeg import crop_in, show, show_asked
from tests.benchmarks.ways import (
    matrix_product,
    network_alone,
    peer_and_network,
    served_way,
    to_crop,
    whole_way,
)

WHOLE = "Pillow + full-width Attention U-Net"
PHOTOS_AT_ONCE = 24
ROUNDS = 5
"""The full-width network takes half a second and more."""
FULL_WIDTH = 64
"""The paper's, of the first level."""


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("noise", NOISE)
def test_photo_to_crop(noise: str, meter: str, full_width: Path) -> None:
    content = photo_bytes("12 MP", noise, meter)
    box = crop_of(content)
    ways = {WHOLE: partial(peer_and_network, peers()[PLAIN], content, box, full_width)}
    for name, model in networks():
        for peer, way in peers().items():
            ways[f"{peer} + {name} network"] = partial(peer_and_network, way, content, box, model)
        ways[f"metercrop, {name} network"] = partial(whole_way, content, model)
        ways[f"  the same, and the whole in small, {name}"] = partial(served_way, content, model)
        ways[f"  of it: {name} network"] = partial(network_alone, model)
    ways["floor: a matrix product as large"] = partial(matrix_product, operations_of(BUNDLED_MODEL))
    found = costs(ways, rounds=ROUNDS)
    show(f"photo to crop, 12 MP, {noise}, {meter}", found, against=WHOLE)
    asked = []
    for name, _ in networks():
        ours = found[f"metercrop, {name} network"].ms
        same = found[f"{PLAIN} + {name} network"]
        asked += [
            (f"Pillow + full width ({name})", 60.0, found[WHOLE].ms / ours),
            (f"Pillow + the same network ({name})", 8.0, same.ms / ours),
            (f"the same, without the kernel's part ({name})", 8.0, same.user_ms / ours),
        ]
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


def worked(content: bytes) -> int:
    return to_crop(shipped(), content)


@cache
def shipped() -> Optimizer:
    return optimizer_of(BUNDLED_MODEL, Device.CPU, threads=1)


@cache
def crop_of(content: bytes) -> Box:
    """What the shipped model finds, or a twentieth of the photo where it finds nothing."""
    decision = shipped().judged(photo_of(content, Limits())).decision
    return decision.box if isinstance(decision, Crop) else crop_in(*SIZES["12 MP"])


def networks() -> list[tuple[str, Path]]:
    """The shipped one, and what it is in whole numbers."""
    int8 = BUNDLED_MODEL.with_stem(f"{BUNDLED_MODEL.stem}-int8")
    return [("fp32", BUNDLED_MODEL)] + ([("INT8", int8)] if int8.exists() else [])


@pytest.fixture(scope="module")
def full_width(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper's Attention U-Net, not trained: its time is the same."""
    recipe = read_recipe("attention_unet_16")
    recipe = replace(recipe, network=recipe.network | {"base_width": FULL_WIDTH})
    path = tmp_path_factory.mktemp("full") / "full.onnx"
    label, calibration = Label("0", "none"), Calibration(0.5, 0.5)
    sha256 = export(
        recipe, recipe.build_network().eval(), calibration=calibration, label=label, to=path
    )
    card_of(path).write_text(sha256)
    return path


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
