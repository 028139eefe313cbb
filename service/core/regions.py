"""Connected regions of a probability map."""

from __future__ import annotations

from dataclasses import dataclass

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
        return int(self.pixels.sum())

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
    labels = _labelled(probabilities >= threshold)
    areas_px = np.bincount(labels.ravel())
    areas_px[0] = 0  # what lies under the threshold
    found = []
    for label in np.flatnonzero(areas_px >= max(min_area_px, 1)):
        pixels = labels == label
        rows, columns = np.nonzero(pixels)
        box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        found.append(Region(pixels, box, float(probabilities[pixels].sum())))
    return found


def _labelled(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Every region numbered from 1: horizontal runs, united with those they touch a row above."""
    labels = np.zeros(mask.shape, dtype=np.int32)
    parent = [0]
    above: list[tuple[int, int, int]] = []  # (start, stop, label) of the row before
    for row in range(mask.shape[0]):
        current = []
        for start, stop in _runs(mask[row]):
            touched = [label for s, e, label in above if s <= stop and start <= e]
            if not touched:
                parent.append(len(parent))
                touched = [len(parent) - 1]
            root = min(_root(parent, label) for label in touched)
            for label in touched:
                parent[_root(parent, label)] = root
            labels[row, start:stop] = root
            current.append((start, stop, root))
        above = current
    roots = np.array([_root(parent, label) for label in range(len(parent))], dtype=np.int32)
    return roots[labels]


def _runs(row: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(row, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _root(parent: list[int], label: int) -> int:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label
