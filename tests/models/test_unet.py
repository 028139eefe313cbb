import pytest
import torch

from models.networks.attention_unet import AttentionUNet
from models.networks.unet import UNet
from tests.networks import parameters, weights


def test_widths_run_from_64_to_1024() -> None:
    with torch.device("meta"):
        network = UNet()
    convolutions = [one for one in network.encoders.modules() if isinstance(one, torch.nn.Conv2d)]
    widths = [64, 128, 256, 512, 1024]
    assert [one.out_channels for one in convolutions] == sorted(2 * widths)


def test_full_width_has_the_31_million_weights_of_the_papers() -> None:
    """Chen et al. count 31.02 M without bias and batch norm; a second class would add 64."""
    with torch.device("meta"):
        network = UNet()
    assert weights(network) + 64 == 31_024_960
    assert parameters(network) == pytest.approx(31.04e6, rel=0.0005)


def test_half_the_base_width_has_a_quarter_of_the_weights() -> None:
    with torch.device("meta"):
        assert parameters(UNet()) / parameters(UNet(base_width=32)) == pytest.approx(4, rel=0.01)


def test_it_is_an_attention_unet_without_gates() -> None:
    ungated = AttentionUNet(base_width=4, levels=3, gated=()).eval()
    network = UNet(base_width=4, levels=3).eval()
    network.load_state_dict(ungated.state_dict())
    pixels = torch.rand(1, 3, 16, 16)
    assert torch.equal(network(pixels), ungated(pixels))
