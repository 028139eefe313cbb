"""A JPEG made small from the lowest coefficients of its blocks, without its pixels.

A block's DC is its mean: the photo at an eighth. With the three coefficients next to it the means
of its four quarters are known well enough: the photo at a quarter. Either is sampled down with a
triangle as wide as the step, as Pillow's `BILINEAR` does.

`native/src/shrink.rs` does the same, every sum in the same order and as wide, so that both make the
same picture to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from service.imaging.jpeg_coefficients import coefficients, has_steady_quantization
from service.imaging.jpeg_colour import Samples, rgb_of_samples
from service.imaging.jpeg_file import BASELINE, EXTENDED, PROGRESSIVE, Component, JpegFile

_LOW = (0, 1, 8, 9)
"""In a block, row by row: its mean, and what differs across, down, and in both."""
_LOW_IN_ZIGZAG = (0, 1, 2, 4)
_FACTORS = np.array((0.125, 0.1132664, 0.1132664, 0.102633), np.float32)
"""What they count, times their steps of quantization: DC to mean (A.3.3); a cosine's mean over half
a block, that of cos((2 x + 1) pi / 16) over x from 0 to 3, times 1/4 and C(0); that mean squared,
times 1/4."""
_MIDDLE = 128.0


class Detail(IntEnum):
    """How fine the blocks are seen."""

    EIGHTH = 0
    """By their means: the photo at an eighth of its size."""
    QUARTER = 1
    """By the means of their quarters, nearly."""

    @property
    def values(self) -> int:
        """Coefficients of a block that are needed for it."""
        return 4 if self is Detail.QUARTER else 1


def detail_for(width: int, height: int, *, side: int) -> Detail | None:
    """The least that still fills a square of `side` pixels; None where a photo is too small for it.

    Decoding such a small one takes about as long as its inference saves.
    """
    longer = max(width, height)
    if longer >= 8 * side:
        return Detail.EIGHTH
    return Detail.QUARTER if longer >= 4 * side else None


@dataclass(frozen=True, slots=True, eq=False)
class LowBlocks:
    """A JPEG's lowest coefficients as libjpeg reads them."""

    file: JpegFile
    planes: tuple[NDArray[np.int16], ...]
    """By component, (rows, columns, 4)."""

    def small(self, detail: Detail, width: int, height: int) -> NDArray[np.uint8]:
        """The raw frame as RGB pixels, (height, width, 3), for looking at."""
        samples = [
            self._sampled(part, plane[:, :, : detail.values], width, height)
            for part, plane in zip(self.file.frame.components, self.planes, strict=True)
        ]
        return rgb_of_samples(self.file, samples)

    def _sampled(
        self, component: Component, plane: NDArray[np.int16], width: int, height: int
    ) -> Samples:
        frame, (rows, columns, values) = self.file.frame, plane.shape
        halves = 1 if values == 1 else 2
        across = frame.width * component.across * halves / (8 * frame.max_across)
        down = frame.height * component.down * halves / (8 * frame.max_down)
        steps = self.file.quantization[component.table]
        factors = _FACTORS * np.array([steps[at] for at in _LOW_IN_ZIGZAG], np.float32)
        by_row = _rows(plane, factors, _taps(down, rows * halves, height))
        sums = np.full((height, width), _MIDDLE, np.float32)
        for first, weight in _taps(across, columns * halves, width):
            sums += by_row[:, first] * weight
        return sums


def low_blocks(file: JpegFile) -> LowBlocks | None:
    """None for a sequential one of several scans, which is looked at decoded: it costs little more.

    `file` must be one that `jpeg_pixels` has decoded.
    """
    if not _is_read_by_blocks(file):
        return None
    try:
        return LowBlocks(file, tuple(blocks[:, :, _LOW] for blocks in coefficients(file)))
    except OSError:
        return None


def _is_read_by_blocks(file: JpegFile) -> bool:
    if file.frame.process == PROGRESSIVE:
        return has_steady_quantization(file)
    sequential = file.frame.process in (BASELINE, EXTENDED) and len(file.scans) == 1
    return sequential and file.scans[0].payload[0] == len(file.frame.components)


def _taps(
    extent: float, inputs: int, outputs: int
) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Of each output one input after another, and its weight: both (outputs,).

    A triangle as wide as a step, one input at least, cut off at the edges; the photo covers
    `extent` of the `inputs`.
    """
    step = extent / outputs
    reach = max(step, 1.0)
    number = min(math.ceil(2.0 * reach) + 1, inputs)
    centre = (np.arange(outputs) + 0.5) * step
    first = np.minimum(np.maximum(centre - reach + 0.5, 0.0).astype(np.intp), inputs - number)
    taps = [first + at for at in range(number)]
    heights = [np.maximum(1.0 - np.abs((at + 0.5 - centre) / reach), 0.0) for at in taps]
    weights = (height / sum(heights) for height in heights)
    return [(at, weight.astype(np.float32)) for at, weight in zip(taps, weights, strict=True)]


def _rows(
    blocks: NDArray[np.int16],
    factors: NDArray[np.float32],
    taps: list[tuple[NDArray[np.intp], NDArray[np.float32]]],
) -> Samples:
    """Sampled down, not yet across; quarters lie side by side.

    Left and right quarters differ by the sign of what is horizontal, upper and lower ones by that
    of what is vertical.
    """
    even = np.zeros((len(taps[0][0]), blocks.shape[1]), np.float32)
    if blocks.shape[2] == 1:
        for at, weight in taps:
            even += (weight * factors[0])[:, None] * blocks[at, :, 0]
        return even
    odd = np.zeros_like(even)
    for at, weight in taps:
        sign = np.where(at % 2 == 0, weight, -weight)
        mean, across, down, both = (blocks[at // 2, :, value] for value in range(4))
        even += (weight * factors[0])[:, None] * mean
        odd += (weight * factors[1])[:, None] * across
        even += (sign * factors[2])[:, None] * down
        odd += (sign * factors[3])[:, None] * both
    return np.stack((even + odd, even - odd), axis=2).reshape(len(even), -1)
