import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.networks import build
from models.networks.residual_unet import ResidualBlock, ResidualUNet, Skips
from tests.networks import parameters


@pytest.mark.parametrize("base_width", [5, 8, 12])
@pytest.mark.parametrize("skips", Skips)
def test_logits_have_the_height_and_width_of_the_pixels(base_width: int, skips: Skips) -> None:
    network = ResidualUNet(base_width, skips=skips).eval()
    assert network(torch.zeros(1, 3, 32, 48)).shape == (1, 1, 32, 48)


def test_plain_one_of_width_8_with_added_skips_has_the_weights_of_the_authors_code() -> None:
    """Some 1.58 M, of which biases before batch norm and five more classes are left out here."""
    options = {"base_width": 8, "residual": False, "skips": "added"}
    assert parameters(build("residual_unet", options)) == pytest.approx(1.58e6, rel=0.005)


class OnlyFeatures(torch.nn.Module):
    """A decoder that takes no skip."""

    def forward(self, features: Tensor, _skip: Tensor) -> Tensor:
        return features


def test_skips_are_concatenated_or_added_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="multiplied"):
        build("residual_unet", {"skips": "multiplied"})


def test_residual_block_without_a_change_passes_its_shortcut() -> None:
    block = ResidualBlock(2, 3).eval()
    torch.nn.init.zeros_(block.second.weight)
    features = torch.rand(1, 2, 8, 8)
    shortcut = block.shortcut_norm(block.shortcut(features)).relu()
    torch.testing.assert_close(block(features), shortcut)


def test_levels_are_halved_by_averages_and_doubled_by_neighbours() -> None:
    """Where every level passes on what it gets, the coarsest answer is means of 16x16 squares."""
    network = ResidualUNet(base_width=1, residual=False)
    network.add_module("stem", torch.nn.Identity())
    network.encoders = torch.nn.ModuleList(torch.nn.Identity() for _ in network.encoders)
    network.decoders = torch.nn.ModuleList(OnlyFeatures() for _ in network.decoders)
    network.add_module("head", torch.nn.Identity())
    pixels = torch.rand(1, 3, 32, 32)
    means = functional.avg_pool2d(pixels, 16).repeat_interleave(16, 2).repeat_interleave(16, 3)
    torch.testing.assert_close(network(pixels), means)
