"""Agreement of a predicted with a true mask, from one photo's counts of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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


def agreement(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> Agreement:
    """Counts over two masks of the same shape."""
    overlap = int((predicted & true).sum())
    positives, region = int(predicted.sum()), int(true.sum())
    return Agreement(
        overlap, positives - overlap, region - overlap, true.size - positives - region + overlap
    )


def _ratio(part: int, whole: int) -> float:
    """Nothing expected and nothing found is full agreement."""
    return part / whole if whole else 1.0
