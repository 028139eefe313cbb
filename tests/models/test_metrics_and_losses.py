import numpy as np
import pytest
import torch

from models.losses import Loss, LossKind, cross_entropy_and_dice
from models.metrics import agreement


def test_measures_of_a_known_overlap() -> None:
    true, predicted = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    true[0, :4] = True
    predicted[0, 2:] = predicted[1, 2:] = True
    found = agreement(predicted, true)
    assert found.dice == 0.5
    assert found.jaccard == pytest.approx(1 / 3)
    assert (found.precision, found.recall, found.accuracy) == (0.5, 0.5, 0.75)


def test_nothing_expected_and_nothing_found_is_full_agreement() -> None:
    nothing = np.zeros((4, 4), bool)
    assert agreement(nothing, nothing).dice == 1.0


def test_loss_of_a_perfect_answer_is_nought_and_of_the_contrary_large() -> None:
    target = torch.zeros(1, 1, 8, 8)
    target[..., 2:5, 2:5] = 1.0
    certain = (target - 0.5) * 40.0
    assert cross_entropy_and_dice(certain, target, weight=0.36).item() == pytest.approx(0, abs=1e-6)
    assert cross_entropy_and_dice(-certain, target, weight=0.36).item() > 0.36 * 15


def test_weight_scales_the_loss() -> None:
    logits, target = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    whole = cross_entropy_and_dice(logits, target, weight=1.0)
    part = cross_entropy_and_dice(logits, target, weight=0.36)
    assert part.item() == pytest.approx(0.36 * whole.item())


def test_both_losses_are_the_sum_of_each() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 1, 4, 4), (torch.rand(2, 1, 4, 4) > 0.5).float()
    both, entropy, dice = (Loss(kind, weight=0.36)(logits, target) for kind in LossKind)
    assert both.item() == pytest.approx(entropy.item() + dice.item())


def test_cross_entropy_of_no_opinion_is_the_logarithm_of_two() -> None:
    logits, target = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    entropy = Loss(LossKind.CROSS_ENTROPY)(logits, target)
    assert entropy.item() == pytest.approx(np.log(2))


def test_dice_loss_rewards_overlap_alone() -> None:
    target = torch.zeros(1, 1, 8, 8)
    target[..., :4] = 1.0
    dice = Loss(LossKind.DICE)
    half = torch.where(torch.arange(8) < 2, 40.0, -40.0).expand(1, 1, 8, 8)
    assert dice((target - 0.5) * 80.0, target).item() == pytest.approx(0.0, abs=1e-6)
    assert dice(half, target).item() == pytest.approx(1 - (2 * 16 + 1) / (16 + 32 + 1))
