from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.geometry import Box
from service.imaging.jpeg_file import BASELINE, jpeg_file
from service.imaging.jpeg_huffman import huffman_table
from service.imaging.jpeg_lossless import cropped, seeing_box
from service.imaging.jpeg_pixels import jpeg_pixels
from tests import photos

KINDS = {
    **photos.jpegs_of_every_colour(width=203, height=149),
    "progressive": photos.jpeg(width=203, height=149, progressive=True),
    "restarts": photos.jpeg(width=203, height=149, restart_rows=1),
    "poor": photos.jpeg(width=203, height=149, quality=5),
}
REGION = Box(61, 47, 138, 90)


def pixels_in(content: bytes, box: Box) -> np.ndarray:
    return np.asarray(jpeg_pixels(content).crop((box.left, box.top, box.right, box.bottom)))


def shifted(box: Box, origin: Box) -> Box:
    return Box(
        box.left - origin.left,
        box.top - origin.top,
        box.right - origin.left,
        box.bottom - origin.top,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_region_decodes_to_the_very_same_values(kind: str) -> None:
    content = KINDS[kind]
    cut = cropped(content, seeing_box(content, REGION))
    assert cut is not None
    assert cut.box.contains(REGION)
    assert jpeg_pixels(cut.content).size == (cut.box.width, cut.box.height)
    assert np.array_equal(
        pixels_in(cut.content, shifted(REGION, cut.box)), pixels_in(content, REGION)
    )
    assert len(cut.content) < len(content)


@pytest.mark.parametrize("kind", KINDS)
def test_cut_keeps_the_sources_quantization_sampling_and_colour_space(kind: str) -> None:
    source = jpeg_file(KINDS[kind])
    cut = cropped(KINDS[kind], REGION)
    assert cut is not None
    kept = jpeg_file(cut.content)
    assert [part.id for part in kept.frame.components] == [
        part.id for part in source.frame.components
    ]
    assert [part.table for part in kept.frame.components] == [
        part.table for part in source.frame.components
    ]
    assert kept.frame.max_across in (source.frame.max_across, 1)
    adobe = [part.payload for part in source.segments if part.is_adobe]
    assert [part.payload for part in kept.segments if part.is_adobe] == adobe
    quantization = [part.payload for part in source.segments if part.marker == 0xDB]
    assert [part.payload for part in kept.segments if part.marker == 0xDB] == quantization
    assert kept.frame.process == BASELINE


def test_cut_of_everything_is_everything() -> None:
    whole = Box(0, 0, 203, 149)
    cut = cropped(KINDS["4:2:0"], whole)
    assert cut is not None
    assert cut.box == whole
    assert np.array_equal(pixels_in(cut.content, whole), pixels_in(KINDS["4:2:0"], whole))


def test_edges_go_outward_to_the_grid_and_end_with_the_photo() -> None:
    cut = cropped(KINDS["4:2:0"], Box(17, 33, 202, 148))
    assert cut is not None
    assert cut.box == Box(16, 32, 203, 149)


def test_a_thumbnail_in_the_jfif_segment_stays_behind() -> None:
    content = KINDS["grey"]
    jfif = content.index(b"JFIF")
    thumbnail = b"\x02\x02" + bytes(range(12))
    length = (16 + 12).to_bytes(2, "big")
    carrying = (
        content[: jfif - 2] + length + content[jfif : jfif + 12] + thumbnail + content[jfif + 14 :]
    )
    cut = cropped(carrying, REGION)
    assert cut is not None
    assert bytes(range(12)) not in cut.content
    assert np.array_equal(np.asarray(jpeg_pixels(cut.content)), pixels_in(content, cut.box))


def test_arithmetic_coding_and_a_changing_quantization_are_left_to_others() -> None:
    content = KINDS["4:4:4"]
    frame = content.index(b"\xff\xc0")
    arithmetic = content[:frame] + b"\xff\xc9" + content[frame + 2 :]
    assert cropped(arithmetic, REGION) is None
    changing = KINDS["progressive"]
    tables = changing.index(b"\xff\xdb")
    length = int.from_bytes(changing[tables + 2 : tables + 4], "big") + 2
    second_scan = changing.rindex(b"\xff\xda")
    late = changing[tables : tables + length]
    assert cropped(changing[:second_scan] + late + changing[second_scan:], REGION) is None


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_box_of_any_photo_is_cut_exactly(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 90))
    content = photos.jpeg(
        width=width,
        height=height,
        subsampling=data.draw(st.sampled_from(["4:4:4", "4:2:2", "4:2:0"])),
        progressive=data.draw(st.booleans()),
        mode=data.draw(st.sampled_from(["RGB", "L", "CMYK"])),
        quality=data.draw(st.sampled_from([10, 60, 95])),
    )
    region = data.draw(boxes_in(width, height))
    cut = cropped(content, seeing_box(content, region))
    assert cut is not None
    assert Box(0, 0, width, height).contains(cut.box)
    assert cut.box.contains(region)
    assert np.array_equal(
        pixels_in(cut.content, shifted(region, cut.box)), pixels_in(content, region)
    )


@st.composite
def boxes_in(draw: st.DrawFn, width: int, height: int) -> Box:
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return Box(left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height)))


def test_eight_threads_cut_the_same() -> None:
    work = list(KINDS.values()) * 3
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda content: cropped(content, REGION), work))
    assert together == [cropped(content, REGION) for content in work]


@given(st.dictionaries(st.integers(0, 255), st.integers(1, 10**9), min_size=1))
def test_huffman_codes_are_prefix_free_short_enough_and_never_all_ones(
    counts: dict[int, int],
) -> None:
    by_symbol = np.zeros(256, np.int64)
    by_symbol[list(counts)] = list(counts.values())
    table = huffman_table(by_symbol)
    codes = [
        format(int(table.codes[symbol]), f"0{int(table.lengths[symbol])}b") for symbol in counts
    ]
    assert all(1 <= len(code) <= 16 and "0" in code for code in codes)
    ordered = sorted(codes)
    assert not any(longer.startswith(shorter) for shorter, longer in pairwise(ordered))
    assert sum(table.definition[:16]) == len(counts)


def test_skewed_counts_still_fit_sixteen_bits() -> None:
    by_symbol = np.zeros(256, np.int64)
    by_symbol[:40] = [2**index for index in range(40)]
    assert huffman_table(by_symbol).lengths.max() == 16
