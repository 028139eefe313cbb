"""What a photo's way from bytes to thumbnail and crop costs: natively, by the library, by peers.

Run with `make bench`; see `apart` for what is measured. Ratios are to what everybody does with
Pillow. OpenCV and libvips take part where they are installed (`pip install 'metercrop[bench]'`).
Nothing is asserted but that the exact ways make the same file.
"""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.table import Table

from service.core.encoding import Encoding
from service.core.geometry import Box
from service.core.photo import Limits, Photo
from service.imaging.encode import EncodedCrop, encoded_crop
from service.imaging.jpeg_native import is_available, scanned
from service.imaging.jpeg_thumbnail import detail_for
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame, raw_frame
from tests.benchmarks.apart import Cost, calling, costs
from tests.benchmarks.peers import PLAIN, REDUCING, SIDE, peers
from tests.benchmarks.photos import METERS, NOISE, SIZES, photo_bytes

OURS = "metercrop: thumbnail, exact crop"


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("size", SIZES)
def test_jpeg_path(size: str, noise: str, meter: str) -> None:
    """The crop is a twentieth of the photo."""
    assert is_available(), "the native JPEG code is not installed"
    content = photo_bytes(size, noise, meter)
    photo, box = photo_of(content, Limits()), crop_in(*SIZES[size])
    assert exactly(photo, box) == by_library(photo, box)
    ways = {name: calling(peer, content, box) for name, peer in peers().items()} | {
        "metercrop by the library": calling(by_library, photo, box),
        OURS: calling(exactly, photo, box),
        "  of it: thumbnail": calling(thumbnail, photo),
        "floor: one pass over the codes": calling(scan, content, SIZES[size]),
        "floor: the photo copied": calling(bytearray, content),
    }
    found = costs(ways)
    title = f"JPEG path, {size}, {noise}, {meter}: {len(content) / 1e6:.2f} MB"
    show(title, found, against=PLAIN)
    show_asked(
        [
            ("JPEG path against Pillow's", 9.0, found[PLAIN].ms / found[OURS].ms),
            ("the same, without the kernel's part", 9.0, found[PLAIN].user_ms / found[OURS].ms),
            ("against Pillow with reducing_gap", 9.0, found[REDUCING].ms / found[OURS].ms),
        ]
    )


def exactly(photo: Photo, box: Box) -> EncodedCrop:
    """As the service does it: natively where there is native code."""
    return thumbnail_and_crop(raw_frame(photo, side=SIDE), box)


def by_library(photo: Photo, box: Box) -> EncodedCrop:
    """As it is where there was no Rust compiler."""
    return thumbnail_and_crop(RawFrame(photo), box)


def thumbnail_and_crop(frame: RawFrame, box: Box) -> EncodedCrop:
    frame.model_input(side=SIDE)
    return encoded_crop(frame, box=box, region=box, encoding=Encoding.AUTO, keep_gps=False)


def thumbnail(photo: Photo) -> None:
    raw_frame(photo, side=SIDE).model_input(side=SIDE)


def scan(content: bytes, size: tuple[int, int]) -> None:
    detail = detail_for(*size, side=SIDE)
    assert detail is not None
    assert scanned(content, detail) is not None


def crop_in(width: int, height: int) -> Box:
    """A reading with its margin, a twentieth of the photo."""
    left, top = width // 3, height // 3
    return Box(left, top, left + width // 4, top + height // 5)


def show(title: str, found: dict[str, Cost], *, against: str) -> None:
    table = Table("way", "ms, median", "of it the kernel's", "times as fast", title=title)
    for way, cost in found.items():
        ratio = f"{found[against].ms / cost.ms:.2f}"
        table.add_row(way, f"{cost.ms:.2f}", f"{cost.kernel_ms:.2f}", ratio)
    Console(width=100).print(table)


def show_asked(rows: list[tuple[str, float, float]]) -> None:
    table = Table("asked", "at least", "found", title="what is asked of it")
    for what, least, found in rows:
        table.add_row(what, f"{least:.1f}", f"{found:.2f}")
    Console(width=100).print(table)
