from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.jpeg_lossless import cut_of_coefficients, cut_of_scan
from service.imaging.jpeg_native import JpegScan, scanned
from service.imaging.jpeg_pixels import jpeg_pixels
from service.imaging.jpeg_thumbnail import Detail, detail_for
from service.imaging.probe import photo_of
from service.imaging.raw_frame import raw_frame
from tests import photos
from tests.fuzz.against_library import CORPUS, mutated, require_agreement, seeds
from tests.jpeg_planes import reads_as_libjpeg
from tests.native_answers import (
    assert_answers_are_those_of_the_library,
    assert_reads_and_cuts_as_the_library,
)

SIDE = 64


def saved(width: int, height: int, **options: object) -> bytes:
    return photos.encoded(photos.picture(width, height), "JPEG", {"quality": 85, **options})


def large(mode: str = "RGB", **options: object) -> bytes:
    """In many pieces, and several lanes."""
    return photos.encoded(photos.picture(700, 520, mode=mode), "JPEG", {"quality": 96, **options})


KINDS = {
    **photos.jpegs_of_every_colour(width=203, height=149),
    "restart-each-row": photos.jpeg(width=203, height=149, restart_rows=1),
    "restart-each-unit": saved(203, 149, restart_marker_blocks=1),
    "optimized": saved(203, 149, optimize=True),
    "poor": photos.jpeg(width=203, height=149, quality=3),
    "with-metadata": photos.jpeg(orientation=6, icc=photos.icc_profile() + bytes(150_000)),
    "large": large(),
    "large-4:4:4": large(subsampling="4:4:4", optimize=True),
    "large-grey": large("L"),
    "large-with-restarts": large(restart_marker_rows=1),
    "large-with-wide-restarts": large(restart_marker_blocks=101),
}


def scan_of(content: bytes, detail: Detail = Detail.QUARTER) -> JpegScan:
    scan = scanned(content, detail)
    assert scan is not None
    return scan


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_and_cut_as_the_library_does(kind: str) -> None:
    assert_reads_and_cuts_as_the_library(KINDS[kind])


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "grey"])
def test_small_sizes_are_read_and_cut_as_the_library_does(subsampling: str) -> None:
    options = {"subsampling": subsampling} if subsampling[0] == "4" else {"mode": "L"}
    for width in (1, 7, 8, 9, 16, 17, 33):
        for height in (1, 8, 15, 16, 31):
            content = photos.jpeg(width=width, height=height, quality=90, **options)  # type: ignore[arg-type]
            assert_reads_and_cuts_as_the_library(content)


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(1, 140), st.integers(1, 140)),
    options=st.fixed_dictionaries(
        {
            "quality": st.integers(1, 100),
            "subsampling": st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]),
            "optimize": st.booleans(),
            "restart_marker_blocks": st.sampled_from([0, 1, 3, 50]),
        }
    ),
    mode=st.sampled_from(["RGB", "L", "CMYK"]),
)
def test_any_photo_is_read_and_cut_as_the_library_does(
    size: tuple[int, int], options: dict[str, object], mode: str
) -> None:
    content = photos.encoded(photos.picture(*size, mode=mode), "JPEG", options)
    assert_reads_and_cuts_as_the_library(content)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.jpg")), ids=lambda path: path.stem)
def test_what_fuzzing_found_is_accepted_only_where_the_library_agrees(path: Path) -> None:
    content = path.read_bytes()
    scan = scanned(content, Detail.QUARTER)
    if scan is not None:
        assert_reads_and_cuts_as_the_library(content)


def test_mutated_photos_are_accepted_only_where_the_library_agrees() -> None:
    """The first of those that `make fuzz` tries for an hour."""
    known, chance = seeds(), random.Random(11)
    accepted = sum(require_agreement(mutated(known, chance), chance) for _ in range(500))
    assert accepted > 15


def without_tables(content: bytes) -> bytes:
    at = content.index(b"\xff\xc4")
    return content[:at] + b"\xff\xef" + content[at + 2 :]


def with_frame(content: bytes, at: int, value: int) -> bytes:
    """With another byte in the frame header, counted from its marker."""
    place = content.index(b"\xff\xc0") + at
    return content[:place] + bytes((value,)) + content[place + 1 :]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        photos.png(),
        with_frame(KINDS["4:2:0"], 1, 0xC9),
        with_frame(KINDS["4:2:0"], 1, 0xC3),
        with_frame(KINDS["4:2:0"], 4, 12),
        with_frame(KINDS["4:2:0"], 6, 0),
        with_frame(KINDS["4:2:0"], 11, 0x52),
        with_frame(KINDS["4:2:0"], 11, 0x30),
        without_tables(KINDS["4:2:0"]),
        KINDS["4:2:0"][:2] + b"\0" + KINDS["4:2:0"][2:],
        KINDS["4:2:0"][:-2] + b"\xff\xdc\0\4\0\x10" + KINDS["4:2:0"][-2:],
        KINDS["grey"][:-2] + KINDS["grey"][KINDS["grey"].index(b"\xff\xda") :],
    ],
    ids=[
        "nothing",
        "start-alone",
        "png",
        "arithmetic",
        "lossless",
        "12-bit",
        "height-in-the-scan",
        "five-blocks-across",
        "no-blocks-down",
        "standard-tables-left-out",
        "stray-byte",
        "number-of-lines",
        "second-scan",
    ],
)
def test_what_is_unusual_is_left_to_the_library(content: bytes) -> None:
    assert scanned(content, Detail.EIGHTH) is None


@pytest.mark.parametrize("kind", ["4:2:0", "grey", "restart-each-unit"])
def test_file_cut_short_is_refused(kind: str) -> None:
    content = KINDS[kind]
    ends = (*range(700), *range(700, len(content), 7), *range(len(content) - 20, len(content)))
    assert all(scanned(content[:end], Detail.EIGHTH) is None for end in ends)


@pytest.mark.parametrize("kind", ["large", "large-with-restarts"])
def test_a_missing_piece_is_found_wherever_it_is(kind: str) -> None:
    content = KINDS[kind]
    for share in range(5, 98, 3):
        at = len(content) * share // 100
        assert scanned(content[:at] + content[at + 3000 :], Detail.EIGHTH) is None


def test_stray_bytes_before_the_end_are_for_the_library_to_judge() -> None:
    content = KINDS["4:2:0"]
    assert scanned(content[:-2] + b"\0" + content[-2:], Detail.EIGHTH) is None
    assert scanned(content[:-2], Detail.EIGHTH) is None


def test_what_comes_behind_the_end_is_none_of_the_photo() -> None:
    content = KINDS["4:2:0"]
    longer = scan_of(content + b"\xff\xd0\xff" + KINDS["grey"])
    assert np.array_equal(longer.values, scan_of(content).values)


def test_restart_markers_out_of_order_are_refused() -> None:
    content = KINDS["restart-each-row"]
    swapped = content.replace(b"\xff\xd1", b"\xff\xd2", 1)
    assert swapped != content
    assert scanned(swapped, Detail.EIGHTH) is None


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["4:2:0", "grey", "optimized", "restart-each-row", "large"]),
    at=st.floats(0.0, 0.999),
    noise=st.binary(min_size=1, max_size=6),
)
def test_damage_is_accepted_only_where_the_library_accepts_it(
    kind: str, at: float, noise: bytes
) -> None:
    damaged = photos.overwritten(KINDS[kind], at, noise)
    scan = scanned(damaged, Detail.EIGHTH)
    if scan is None:
        return
    assert jpeg_pixels(damaged).size == (scan.width, scan.height)
    assert reads_as_libjpeg(scan)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 2), (13, 11)])
@pytest.mark.parametrize("detail", Detail)
def test_extreme_shapes_can_be_made_small_and_large(size: tuple[int, int], detail: Detail) -> None:
    scan = scan_of(photos.jpeg(width=size[0], height=size[1], mode="L"), detail)
    for width, height in ((1, 1), (5, 3), (200, 1), (1, 200)):
        small = scan.small(width, height)
        assert small.shape == (height, width, 3)
        assert 40 < small.mean() < 250


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_those_of_the_library(kind: str) -> None:
    assert_answers_are_those_of_the_library(
        KINDS[kind], sides=(24, 25, 50), box=Box(30, 20, 140, 90), region=Box(41, 33, 130, 77)
    )


@pytest.mark.parametrize(
    ("size", "detail"),
    [
        ((511, 512), Detail.EIGHTH),
        ((512, 100), Detail.EIGHTH),
        ((511, 511), Detail.QUARTER),
        ((100, 256), Detail.QUARTER),
        ((255, 255), None),
    ],
)
def test_a_photo_is_read_no_finer_than_the_model_needs(
    size: tuple[int, int], detail: Detail | None
) -> None:
    assert detail_for(*size, side=SIDE) is detail
    frame = raw_frame(photo_of(saved(*size), Limits()), side=SIDE)
    assert (None if frame.scan is None else frame.scan.detail) is detail


def test_pixels_are_decoded_for_who_asks() -> None:
    content = photos.jpeg(icc=photos.icc_profile())
    frame = raw_frame(photo_of(content, Limits()), side=SIDE)
    assert frame.scan is not None
    assert frame.icc_profile == photos.icc_profile()
    assert np.array_equal(np.asarray(frame.pixels), np.asarray(Image.open(BytesIO(content))))


def test_coefficients_too_large_for_baseline_are_left_to_the_library() -> None:
    """DC differences of 2047 in turn up and down are sound; across a cut they may add up."""
    content = steep_jpeg()
    scan = scan_of(content)
    assert reads_as_libjpeg(scan)
    box = Box(0, 0, 8, 24)
    assert cut_of_scan(scan, box) is None
    assert cut_of_coefficients(content, box) is None


def steep_jpeg() -> bytes:
    """Grey, two blocks across and three down, DC 0, 1400, 2800, 1400, 2800, 1400."""
    quantization = b"\xff\xdb\0\x43\0" + bytes([1] * 64)
    frame = b"\xff\xc0\0\x0b\x08\0\x18\0\x10\1\1\x11\0"
    dc = b"\xff\xc4\0\x15\0" + bytes((0, 2, *(0,) * 14)) + bytes((0, 11))
    ac = b"\xff\xc4\0\x14\x10" + bytes((1, *(0,) * 15)) + bytes((0,))
    start = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    bits = ""
    for difference in (0, 1400, 1400, -1400, 1400, -1400):
        value = difference if difference > 0 else difference + 2047
        bits += ("01" + format(value, "011b") if difference else "00") + "0"
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    stuffed = data.replace(b"\xff", b"\xff\0")
    return b"\xff\xd8" + quantization + frame + dc + ac + start + stuffed + b"\xff\xd9"


def test_eight_threads_read_and_cut_the_same() -> None:
    work = list(KINDS.values()) * 3
    box = Box(40, 30, 120, 90)

    def cut(content: bytes) -> bytes:
        made = cut_of_scan(scan_of(content), box)
        assert made is not None
        return made.content

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(cut, work))
    assert together == [cut(content) for content in work]
