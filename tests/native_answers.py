"""Whether the native JPEG code answers as the library path does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from service.core.encoding import Encoding
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.encode import encoded_crop
from service.imaging.jpeg_lossless import cut_of_coefficients, cut_of_scan
from service.imaging.jpeg_native import JpegScan, scanned
from service.imaging.jpeg_pixels import jpeg_pixels
from service.imaging.jpeg_thumbnail import Detail
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame, raw_frame
from tests.jpeg_planes import has_coefficients_of, looks_as_by_library, reads_as_libjpeg


def assert_reads_and_cuts_as_the_library(content: bytes) -> None:
    """The coefficients, the small picture and the cuts, at both details."""
    scan, eighth = scanned(content, Detail.QUARTER), scanned(content, Detail.EIGHTH)
    assert scan is not None
    assert eighth is not None
    assert (scan.width, scan.height) == jpeg_pixels(content).size
    assert has_coefficients_of(scan, content)
    assert reads_as_libjpeg(scan)
    assert looks_as_by_library(scan, content)
    assert looks_as_by_library(eighth, content)
    assert np.array_equal(eighth.values[0], scan.values[0])
    assert np.array_equal(eighth.starts, scan.starts)
    for box in _boxes_of(scan):
        cut, expected = cut_of_scan(scan, box), cut_of_coefficients(content, box)
        assert cut is not None
        assert expected is not None
        assert (cut.content, cut.box) == (expected.content, expected.box)


def _boxes_of(scan: JpegScan) -> list[Box]:
    width, height = scan.width, scan.height
    return [
        Box(0, 0, width, height),
        Box(width // 3, height // 3, width // 2 + 1, height // 2 + 1),
        Box(width - 1, height - 1, width, height),
    ]


def assert_answers_are_those_of_the_library(
    content: bytes, *, sides: Sequence[int], box: Box, region: Box
) -> None:
    """What the model and people see, the crop, and the profile, without the native code too.

    `sides` are of pictures that are made of blocks.
    """
    photo = photo_of(content, Limits())
    natively, by_library = raw_frame(photo, side=sides[0]), RawFrame(photo)
    assert natively.scan is not None
    for seen, expected in zip(
        _looks_of(natively, sides), _looks_of(by_library, sides), strict=True
    ):
        assert np.array_equal(seen, expected)
    crops = [
        encoded_crop(frame, box=box, region=region, encoding=Encoding.AUTO, keep_gps=False)
        for frame in (natively, by_library)
    ]
    assert crops[0] == crops[1]
    assert crops[0].exact
    assert natively.icc_profile == by_library.icc_profile
    assert "pixels" not in vars(natively)


def _looks_of(frame: RawFrame, sides: Sequence[int]) -> list[np.ndarray]:
    inputs = [frame.model_input(side=side)[0] for side in sides]
    return inputs + [np.asarray(frame.rendition(long_side=side)) for side in sides]
