"""What a photo's way from bytes to thumbnail and crop costs: natively, by the library, by peers.

Run with `make bench`; processor time of the whole process on one core, each way once a round, in
turn. Ratios are to what everybody does with Pillow. OpenCV and libvips take part where they are
installed (`pip install 'metercrop[bench]'`). Nothing is asserted but that the exact ways make the
same file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from statistics import median
from time import process_time
from types import ModuleType

import numpy as np
import pytest
import simplejpeg
from PIL import Image
from rich.console import Console
from rich.table import Table

from models.rendering import MeterKind, render
from service.core.encoding import Encoding
from service.core.geometry import Box
from service.core.photo import Limits, Photo
from service.imaging.encode import EncodedCrop, encoded_crop
from service.imaging.jpeg_native import JpegScan, is_available, scanned
from service.imaging.jpeg_thumbnail import detail_for
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame, raw_frame

ROUNDS = 15
SIDE = 256
PEER = "Pillow: decode, resize, crop, encode"
SIZES = {"2 MP": (1600, 1200), "8 MP": (3264, 2448), "12 MP": (4000, 3000)}
NOISE = {"": 0.0, ", noisy as a phone's": 4.0}
"""Of a sensor, in levels of grey; it makes three to four times as many bytes."""


def rendered_jpeg(width: int, height: int, *, noise: float, seed: int = 308) -> bytes:
    photo = np.asarray(render(seed, kind=MeterKind.GAS, width=width, height=height).photo)
    grain = np.random.default_rng(0).normal(0.0, noise, (height, width, 1))
    file = BytesIO()
    Image.fromarray((photo + grain).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def crop_in(width: int, height: int) -> Box:
    """A reading with its margin, a twentieth of the photo."""
    left, top = width // 3, height // 3
    return Box(left, top, left + width // 4, top + height // 5)


def by_pillow(content: bytes, box: Box) -> bytes:
    with Image.open(BytesIO(content)) as image:
        small = (SIDE, round(SIDE * image.height / image.width))
        image.resize(small, Image.Resampling.BILINEAR, reducing_gap=2.0)
        return cropped_by_pillow(image, box)


def by_pillow_in_draft(content: bytes, box: Box) -> bytes:
    """The thumbnail from a decode at an eighth, the crop from a whole one."""
    with Image.open(BytesIO(content)) as image:
        image.draft("RGB", (SIDE, SIDE))
        image.resize((SIDE, round(SIDE * image.height / image.width)), Image.Resampling.BILINEAR)
    with Image.open(BytesIO(content)) as image:
        return cropped_by_pillow(image, box)


def cropped_by_pillow(image: Image.Image, box: Box) -> bytes:
    encoded = BytesIO()
    image.crop((box.left, box.top, box.right, box.bottom)).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


def by_simplejpeg(content: bytes, box: Box) -> bytes:
    small = simplejpeg.decode_jpeg(content, "RGB", min_height=SIDE, min_width=SIDE)
    Image.fromarray(small).resize((SIDE, SIDE * 3 // 4), Image.Resampling.BILINEAR)
    pixels = simplejpeg.decode_jpeg(content, "RGB")
    cut = np.ascontiguousarray(pixels[box.top : box.bottom, box.left : box.right])
    return bytes(simplejpeg.encode_jpeg(cut, 90, "RGB", "420"))


def by_opencv(cv2: ModuleType, content: bytes, box: Box) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    height = round(SIDE * pixels.shape[0] / pixels.shape[1])
    cv2.resize(pixels, (SIDE, height), interpolation=cv2.INTER_AREA)
    cut = pixels[box.top : box.bottom, box.left : box.right]
    return bytes(cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


def by_vips(pyvips: ModuleType, content: bytes, box: Box) -> bytes:
    """It shrinks while it loads, and decodes no more rows than the crop needs."""
    pyvips.Image.thumbnail_buffer(content, SIDE).write_to_memory()
    image = pyvips.Image.new_from_buffer(content, "", access="sequential")
    cut = image.crop(box.left, box.top, box.width, box.height)
    return bytes(cut.jpegsave_buffer(Q=90))


def peers(content: bytes, box: Box) -> dict[str, Callable[[], object]]:
    ways: dict[str, Callable[[], object]] = {
        PEER: lambda: by_pillow(content, box),
        "Pillow in draft mode": lambda: by_pillow_in_draft(content, box),
        "simplejpeg": lambda: by_simplejpeg(content, box),
    }
    for name, way in (("cv2", by_opencv), ("pyvips", by_vips)):
        try:
            module = import_module(name)
        except ImportError:
            continue
        ways[name] = lambda way=way, module=module: way(module, content, box)  # type: ignore[misc]
    return ways


def exactly(photo: Photo, box: Box) -> EncodedCrop:
    """As the service does it: natively where there is native code."""
    return thumbnail_and_crop(raw_frame(photo, side=SIDE), box)


def by_library(photo: Photo, box: Box) -> EncodedCrop:
    """As it is where there was no Rust compiler."""
    return thumbnail_and_crop(RawFrame(photo), box)


def thumbnail_and_crop(frame: RawFrame, box: Box) -> EncodedCrop:
    frame.model_input(side=SIDE)
    return crop_of(frame, box)


def crop_of(frame: RawFrame, box: Box) -> EncodedCrop:
    return encoded_crop(frame, box=box, region=box, encoding=Encoding.AUTO, keep_gps=False)


def scan_of(content: bytes, size: tuple[int, int]) -> JpegScan:
    detail = detail_for(*size, side=SIDE)
    assert detail is not None
    scan = scanned(content, detail)
    assert scan is not None
    return scan


@contextmanager
def one_core() -> Iterator[None]:
    """Where the system lets a process choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def interleaved_medians_ms(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Each step once a round, in turn, so that a busy moment of the machine hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = process_time()
            step()
            taken[name].append((process_time() - started) * 1000)
    return {name: median(times) for name, times in taken.items()}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("noise", NOISE)
def test_thumbnail_and_exact_crop(name: str, noise: str) -> None:
    assert is_available(), "the native JPEG code is not installed"
    size = SIZES[name]
    content, box = rendered_jpeg(*size, noise=NOISE[noise]), crop_in(*size)
    photo = photo_of(content, Limits())
    assert exactly(photo, box) == by_library(photo, box)
    frame = raw_frame(photo, side=SIDE)
    room = bytearray(len(content))

    def copied() -> None:
        room[:] = content

    ways: dict[str, Callable[[], object]] = {
        "metercrop by the library, exact": lambda: by_library(photo, box),
        "metercrop natively, exact": lambda: exactly(photo, box),
        "  of it: thumbnail": lambda: frame.model_input(side=SIDE),
        "  of it: crop": lambda: crop_of(frame, box),
        "floor: one pass over the codes": lambda: scan_of(content, size),
        "floor: the file copied": copied,
    }
    with one_core():
        medians = interleaved_medians_ms(peers(content, box) | ways)
    title = f"{name}{noise}: {len(content) / 1e6:.2f} MB"
    table = Table("way", "ms, median", "times as fast as Pillow", title=title)
    for way, ms in medians.items():
        table.add_row(way, f"{ms:.2f}", f"{medians[PEER] / ms:.1f}")
    Console().print(table)
