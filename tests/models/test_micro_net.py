import pytest
import torch

from models.networks.micro_net import Fire, MicroNet
from models.networks.unet import UNet
from tests.networks import parameters, weights


def test_full_width_has_the_million_weights_of_the_paper() -> None:
    """The sum of its table 3, whose last convolution answers two classes; we answer one logit."""
    with torch.device("meta"):
        assert parameters(MicroNet()) + 64 == 1_055_920


def test_it_has_29_26_times_fewer_weights_than_u_net() -> None:
    """The paper divides what its tables 1 and 2 round to a hundredth of a million."""
    with torch.device("meta"):
        u_net, micro_net = (round(weights(network()) / 1e6, 2) for network in (UNet, MicroNet))
    assert (u_net, micro_net) == (31.02, 1.06)
    assert round(u_net / micro_net, 2) == 29.26


@pytest.mark.parametrize(
    ("channels_in", "channels_out", "counted"),
    [(64, 64, 6144), (64, 128, 22528), (128, 128, 24576), (128, 256, 90112), (256, 256, 98304)],
)
def test_fire_modules_have_the_weights_of_table_3(
    channels_in: int, channels_out: int, counted: int
) -> None:
    assert parameters(Fire(channels_in, channels_out, dilation=1)) == counted


def dilations(network: torch.nn.Module) -> list[int]:
    return [one.expand_3x3.dilation[0] for one in network.modules() if isinstance(one, Fire)]


def test_dilations_rise_in_the_encoder_and_fall_in_the_decoder() -> None:
    network = MicroNet(base_width=4)
    assert dilations(network.encoders) == 3 * [1, 1, 2, 3]
    assert dilations(network.decoders) == 3 * [3, 2, 1]


def test_all_weights_are_of_convolutions() -> None:
    """Neither bias nor batch norm: without light there is no answer."""
    network = MicroNet(base_width=4)
    assert weights(network) == parameters(network)
    assert not network(torch.zeros(1, 3, 8, 8)).any()


def test_deep_signal_neither_vanishes_nor_explodes() -> None:
    """What He's initialization is for, there being no batch norm."""
    torch.manual_seed(0)
    spread = MicroNet(base_width=16)(torch.randn(2, 3, 32, 32)).std()
    assert 0.1 < spread < 10
