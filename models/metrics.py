"""Agreement of a predicted with a true mask and box, and how a measure spreads over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from service.core.geometry import Box


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pixel counts of one or many photos; add them up, or average the ratios over photos."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def dice(self) -> float:
        return _ratio(
            2 * self.true_positive,
            2 * self.true_positive + self.false_positive + self.false_negative,
        )

    @property
    def jaccard(self) -> float:
        return _ratio(
            self.true_positive, self.true_positive + self.false_positive + self.false_negative
        )

    @property
    def precision(self) -> float:
        return _ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        return _ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def accuracy(self) -> float:
        correct = self.true_positive + self.true_negative
        return _ratio(correct, correct + self.false_positive + self.false_negative)

    @property
    def miou(self) -> float:
        """Mean of the Jaccard indices of region and background."""
        background = _ratio(
            self.true_negative, self.true_negative + self.false_positive + self.false_negative
        )
        return (self.jaccard + background) / 2.0


@dataclass(frozen=True, slots=True)
class Spread:
    """One measure of the same recipe under several seeds; `sd` is None for a single one."""

    mean: float
    sd: float | None


def spread(values: Sequence[float]) -> Spread:
    """Mean and sample SD (over n - 1); raises ValueError for no value at all."""
    if not values:
        raise ValueError("no value to average")
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None)


def agreement(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> Agreement:
    """Counts over two masks of the same shape."""
    overlap = int((predicted & true).sum())
    positives, region = int(predicted.sum()), int(true.sum())
    return Agreement(
        overlap, positives - overlap, region - overlap, true.size - positives - region + overlap
    )


def box_iou(found: Box | None, true: Box | None) -> float:
    """Intersection over union of two boxes; None stands for no region."""
    if found is None or true is None:
        return float(found is true)
    across = min(found.right, true.right) - max(found.left, true.left)
    down = min(found.bottom, true.bottom) - max(found.top, true.top)
    overlap = max(across, 0) * max(down, 0)
    return overlap / (found.area + true.area - overlap)


def _ratio(part: int, whole: int) -> float:
    """Nothing expected and nothing found is full agreement."""
    return part / whole if whole else 1.0
