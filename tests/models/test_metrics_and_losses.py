import numpy as np
import pytest
import torch

from models.losses import cross_entropy_and_dice
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
