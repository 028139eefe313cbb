"""What the training descends: cross entropy, soft Dice, and their sum."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def cross_entropy_and_dice(logits: Tensor, target: Tensor, *, weight: float) -> Tensor:
    """`weight * (CE + Dice)` of Mao et al. 2022 (section 3.3, weight 0.36); both (n, 1, h, w).

    The Dice part is taken over the whole batch, so that photos without a region count too.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, target)
    probability = logits.sigmoid()
    overlap = 2.0 * (probability * target).sum() + 1.0
    dice = 1.0 - overlap / (probability.sum() + target.sum() + 1.0)
    return weight * (entropy + dice)
