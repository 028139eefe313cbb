"""What the training descends: cross entropy, soft Dice, and their sum."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import ConfigDict
from torch import Tensor
from torch.nn import functional


class LossKind(StrEnum):
    BOTH = "cross-entropy + dice"
    CROSS_ENTROPY = "cross-entropy"
    DICE = "dice"


@dataclass(frozen=True, slots=True)
class Loss:
    """Of logits and target, both (n, 1, h, w), target 0 or 1, times `weight`."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    kind: LossKind = LossKind.BOTH
    weight: float = 1.0

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        match self.kind:
            case LossKind.BOTH:
                return cross_entropy_and_dice(logits, target, weight=self.weight)
            case LossKind.CROSS_ENTROPY:
                return self.weight * cross_entropy(logits, target)
            case LossKind.DICE:
                return self.weight * soft_dice(logits, target)


def cross_entropy_and_dice(logits: Tensor, target: Tensor, *, weight: float) -> Tensor:
    """`weight * (CE + Dice)` of Mao et al. 2022 (section 3.3, weight 0.36)."""
    return weight * (cross_entropy(logits, target) + soft_dice(logits, target))


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """That of two classes, of which the one logit is the difference."""
    return functional.binary_cross_entropy_with_logits(logits, target)


def soft_dice(logits: Tensor, target: Tensor) -> Tensor:
    """One less the Dice coefficient of the probabilities.

    It is taken over the whole batch, so that photos without a region count too.
    """
    probability = logits.sigmoid()
    overlap = 2.0 * (probability * target).sum() + 1.0
    return 1.0 - overlap / (probability.sum() + target.sum() + 1.0)
