"""Connected regions of a probability map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from service.core.geometry import Box


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels that hang together, in pixels of the model's square."""

    pixels: NDArray[np.bool_]  # (side, side)
    box: Box
    weight: float
    """Sum of the probabilities inside."""

    @property
    def area_px(self) -> int:
        return int(np.count_nonzero(self.pixels))

    def sum_of(self, values: NDArray[np.float32]) -> float:
        """Of (side, side), those that lie on its pixels."""
        return _sum_on(self.pixels, self.box, values)

    def joined(self, other: Region) -> Region:
        box = Box(
            min(self.box.left, other.box.left),
            min(self.box.top, other.box.top),
            max(self.box.right, other.box.right),
            max(self.box.bottom, other.box.bottom),
        )
        return Region(self.pixels | other.pixels, box, self.weight + other.weight)


def regions_of(
    probabilities: NDArray[np.float32], *, threshold: float, min_area_px: int = 1
) -> list[Region]:
    """The regions at or over `threshold`, pixels hanging together over sides and corners."""
    mask = probabilities >= threshold
    if not mask.any():
        return []
    around = _window(bounds_of(mask))  # mostly a small part of all, and the rest costs as much
    labels = _labelled(mask[around])
    areas_px = np.bincount(labels.ravel())
    areas_px[0] = 0  # what lies under the threshold
    found = []
    for label in np.flatnonzero(areas_px >= max(min_area_px, 1)):
        pixels = np.zeros_like(mask)
        pixels[around] = labels == label
        box = bounds_of(pixels)
        found.append(Region(pixels, box, _sum_on(pixels, box, probabilities)))
    return found


def bounds_of(pixels: NDArray[np.bool_]) -> Box:
    """The smallest box that holds all that are set, of which there is at least one."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _sum_on(pixels: NDArray[np.bool_], box: Box, values: NDArray[np.float32]) -> float:
    """`box` holds all of the pixels."""
    window = _window(box)
    return float(values[window][pixels[window]].sum())


def _window(box: Box) -> tuple[slice, slice]:
    return slice(box.top, box.bottom), slice(box.left, box.right)


def _labelled(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Every region numbered from 1: horizontal runs, united with those they touch a row above."""
    parent = [0]
    labelled: list[tuple[int, int, int, int]] = []  # (row, start, stop, label)
    above: list[tuple[int, int, int, int]] = []
    for row, runs in groupby(_runs(mask), key=itemgetter(0)):
        if above and above[0][0] != row - 1:
            above = []
        current = []
        for _, start, stop in runs:
            touched = [label for _, s, e, label in above if s <= stop and start <= e]
            if not touched:
                parent.append(len(parent))
                touched = [len(parent) - 1]
            root = min(_root(parent, label) for label in touched)
            for label in touched:
                parent[_root(parent, label)] = root
            current.append((row, start, stop, root))
        labelled += current
        above = current
    labels = np.zeros(mask.shape, dtype=np.int32)
    for row, start, stop, label in labelled:
        labels[row, start:stop] = _root(parent, label)
    return labels


def _runs(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """(row, start, stop) of every horizontal run, row by row, from left to right."""
    height, width = mask.shape
    apart = np.zeros((height, width + 2), dtype=np.int8)  # so that no run reaches the next row
    apart[:, 1:-1] = mask
    rows, columns = np.divmod(np.flatnonzero(np.diff(apart.ravel())), width + 2)
    return zip(rows[::2].tolist(), columns[::2].tolist(), columns[1::2].tolist(), strict=True)


def _root(parent: list[int], label: int) -> int:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label
