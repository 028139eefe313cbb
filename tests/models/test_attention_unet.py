import pytest
import torch

from models.networks import build
from models.networks.attention_unet import AttentionGate, AttentionUNet


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("gated", [(), (1,), (2,), (1, 2), (1, 2, 3, 4)])
def test_logits_have_the_height_and_width_of_the_pixels(gated: tuple[int, ...]) -> None:
    network = AttentionUNet(base_width=4, gated=gated).eval()
    assert network(torch.zeros(2, 3, 64, 32)).shape == (2, 1, 64, 32)


def test_each_gate_adds_its_parameters_and_none_is_left_out() -> None:
    without = AttentionUNet(base_width=4, gated=())
    both = AttentionUNet(base_width=4, gated=(1, 2))
    deepest, second = AttentionGate(32, 64), AttentionGate(16, 32)
    assert parameters(both) - parameters(without) == parameters(deepest) + parameters(second)


def test_base_width_64_is_the_size_of_the_first_u_net() -> None:
    """Ronneberger 2015 has 31.0 M parameters; batch norm adds a few thousand."""
    assert parameters(AttentionUNet(base_width=64, gated=())) == pytest.approx(31.04e6, rel=0.001)


def test_gate_passes_a_skip_where_it_attends_and_stops_it_where_not() -> None:
    gate = AttentionGate(4, 8)
    assert gate.psi.bias is not None
    with torch.no_grad():
        gate.psi.weight.zero_()
        gate.psi.bias.fill_(20.0)
        skip, gating = torch.rand(1, 4, 8, 8), torch.rand(1, 8, 4, 4)
        torch.testing.assert_close(gate(skip, gating), skip)
        gate.psi.bias.fill_(-20.0)
        assert gate(skip, gating).abs().max() < 1e-6


def test_every_parameter_learns() -> None:
    network = AttentionUNet(base_width=4)
    network(torch.randn(2, 3, 32, 32)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.head.parameters())
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_unknown_network_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'atention_unet'.*attention_unet"):
        build("atention_unet", {})
