from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.geometry import Box
from service.imaging.jpeg_file import EXTENDED, jpeg_file
from service.imaging.jpeg_native import scanned
from service.imaging.jpeg_pixels import jpeg_pixels
from service.imaging.jpeg_thumbnail import Detail
from tests import photos
from tests.jpeg_planes import has_coefficients_of
from tests.native_answers import (
    assert_answers_are_those_of_the_library,
    assert_reads_and_cuts_as_the_library,
)
from tests.progressive import SCRIPTS, Band, progressive_jpeg, spectral, successive

COLOURS = {
    **photos.jpegs_of_every_colour(width=109, height=75),
    "poor": photos.jpeg(width=109, height=75, quality=4),
}
WRITTEN_BY_PILLOW = {
    "standard": photos.jpeg(progressive=True),
    "standard-grey": photos.jpeg(progressive=True, mode="L"),
    "standard-cmyk": photos.jpeg(progressive=True, mode="CMYK", quality=60),
    "standard-restarts": photos.jpeg(progressive=True, restart_rows=1),
    "with-metadata": photos.jpeg(progressive=True, orientation=6, icc=photos.icc_profile()),
}


def scripted(content: bytes, script: str = "successive", *, restart_interval: int = 0) -> bytes:
    scans = SCRIPTS[script](len(jpeg_file(content).frame.components))
    return progressive_jpeg(content, scans, restart_interval=restart_interval)


@cache
def progressive() -> bytes:
    return scripted(COLOURS["4:2:0"])


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("colour", COLOURS)
def test_every_kind_and_script_is_read_and_cut_as_the_library_does(
    colour: str, script: str
) -> None:
    assert_reads_and_cuts_as_the_library(scripted(COLOURS[colour], script))


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("restart_interval", [1, 5, 64])
def test_restarts_are_read_and_cut_as_the_library_does(script: str, restart_interval: int) -> None:
    content = scripted(COLOURS["4:2:0"], script, restart_interval=restart_interval)
    assert_reads_and_cuts_as_the_library(content)


@pytest.mark.parametrize("kind", WRITTEN_BY_PILLOW)
def test_what_others_write_is_read_and_cut_as_the_library_does(kind: str) -> None:
    assert_reads_and_cuts_as_the_library(WRITTEN_BY_PILLOW[kind])


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "grey"])
def test_small_sizes_are_read_and_cut_as_the_library_does(subsampling: str) -> None:
    options = {"subsampling": subsampling} if subsampling[0] == "4" else {"mode": "L"}
    for width in (1, 8, 17, 33):
        for height in (1, 15, 16):
            content = photos.jpeg(width=width, height=height, **options)  # type: ignore[arg-type]
            assert_reads_and_cuts_as_the_library(scripted(content, "mixed"))


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    quality=st.integers(1, 100),
    subsampling=st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]),
    mode=st.sampled_from(["RGB", "L", "CMYK"]),
    restart_interval=st.sampled_from([0, 0, 1, 3, 50]),
    script=st.sampled_from(list(SCRIPTS)),
)
def test_any_photo_is_read_and_cut_as_the_library_does(
    size: tuple[int, int],
    quality: int,
    subsampling: str,
    mode: str,
    restart_interval: int,
    script: str,
) -> None:
    options = {"quality": quality, "subsampling": subsampling}
    content = photos.encoded(photos.picture(*size, mode=mode), "JPEG", options)
    assert_reads_and_cuts_as_the_library(
        scripted(content, script, restart_interval=restart_interval)
    )


@pytest.mark.parametrize("kind", WRITTEN_BY_PILLOW)
def test_answers_are_those_of_the_library(kind: str) -> None:
    assert_answers_are_those_of_the_library(
        WRITTEN_BY_PILLOW[kind],
        sides=(80, 81, 160),
        box=Box(130, 220, 240, 290),
        region=Box(141, 233, 230, 277),
    )


def test_what_is_scanned_is_a_sequential_jpeg_without_metadata() -> None:
    scan = scanned(WRITTEN_BY_PILLOW["with-metadata"], Detail.EIGHTH)
    assert scan is not None
    file = jpeg_file(scan.content)
    assert file.frame.process == EXTENDED
    assert (file.exif, file.icc_profile, len(file.scans)) == (None, None, 1)


def test_comments_between_scans_are_harmless() -> None:
    content = progressive()
    at = content.rindex(b"\xff\xda")
    for place in (at, len(content) - 2):
        assert_reads_and_cuts_as_the_library(content[:place] + b"\xff\xfe\0\3\0" + content[place:])


@pytest.mark.parametrize("kind", ["standard", "standard-restarts", "standard-grey"])
def test_file_cut_short_is_refused(kind: str) -> None:
    content = WRITTEN_BY_PILLOW[kind]
    ends = (*range(0, len(content), 997), *range(len(content) - 12, len(content)))
    assert all(scanned(content[:end], Detail.EIGHTH) is None for end in ends)


WHOLE = Band((0, 1, 2), 0, 0, 0, 0)
UNUSUAL = {
    "no-scan-at-all": [],
    "dc-alone": [WHOLE],
    "a-component-without-ac": [WHOLE, Band((0,), 1, 63, 0, 0), Band((1,), 1, 63, 0, 0)],
    "a-band-missing": spectral(3)[:-1],
    "bits-missing": successive(3)[:-1],
    "a-bit-left-out": [band for band in successive(3) if band.low != 2],
    "first-scan-twice": [*spectral(3), WHOLE],
    "last-bit-twice": [*successive(3), successive(3)[-1]],
    "ac-before-dc": list(reversed(spectral(3))),
    "more-scans-than-anybody-writes": [
        WHOLE,
        *(Band((part,), at, at, 0, 0) for part in range(3) for at in range(1, 64)),
    ],
    "components-out-of-order": [Band((1, 0), 0, 0, 0, 0), Band((2,), 0, 0, 0, 0), *spectral(3)[1:]],
}


@pytest.mark.parametrize("kind", UNUSUAL)
def test_scans_that_do_not_add_up_are_left_to_the_library(kind: str) -> None:
    content = progressive_jpeg(COLOURS["4:4:4"], UNUSUAL[kind])
    assert scanned(content, Detail.EIGHTH) is None


def replaced_once(content: bytes, old: bytes, new: bytes) -> bytes:
    changed = content.replace(old, new, 1)
    assert changed != content
    return changed


@pytest.mark.parametrize(
    "segment",
    [
        b"\0",
        b"\xff",
        b"\xff\xd0",
        b"\xff\xe1\0\4\0\0",
        b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0",
        b"\xff\xdb\0\x43\0" + bytes([1] * 64),
        b"\xff\xdc\0\4\0\x10",
    ],
    ids=["stray", "fill", "restart", "application", "jfif", "steps", "lines"],
)
def test_what_is_unusual_between_scans_is_left_to_the_library(segment: bytes) -> None:
    content = progressive()
    at = content.rindex(b"\xff\xc4")
    assert scanned(content[:at] + segment + content[at:], Detail.EIGHTH) is None


def test_restart_markers_out_of_order_are_refused() -> None:
    content = WRITTEN_BY_PILLOW["standard-restarts"]
    swapped = replaced_once(content, b"\xff\xd1", b"\xff\xd2")
    assert scanned(swapped, Detail.EIGHTH) is None


def test_a_size_that_the_file_cannot_hold_is_refused_at_once() -> None:
    content = progressive()
    frame = content.index(b"\xff\xc2") + 5
    huge = content[:frame] + (65_500).to_bytes(2, "big") * 2 + content[frame + 4 :]
    assert scanned(huge, Detail.EIGHTH) is None


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(list(WRITTEN_BY_PILLOW)),
    at=st.floats(0.0, 0.999),
    noise=st.binary(min_size=1, max_size=6),
)
def test_damage_is_accepted_only_where_the_library_accepts_it(
    kind: str, at: float, noise: bytes
) -> None:
    damaged = photos.overwritten(WRITTEN_BY_PILLOW[kind], at, noise)
    scan = scanned(damaged, Detail.EIGHTH)
    if scan is not None:
        assert jpeg_pixels(damaged).size == (scan.width, scan.height)
        assert has_coefficients_of(scan, damaged)
