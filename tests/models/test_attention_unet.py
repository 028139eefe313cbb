import pytest
import torch

from models.networks.attention_unet import AttentionGate, AttentionUNet
from tests.networks import parameters


@pytest.mark.parametrize("gated", [(), (1,), (2,), (1, 2), range(1, 5)])
def test_any_of_the_skips_can_be_gated(gated: tuple[int, ...]) -> None:
    network = AttentionUNet(base_width=4, gated=gated).eval()
    assert [isinstance(gate, AttentionGate) for gate in network.gates] == [
        depth in gated for depth in range(1, 5)
    ]
    assert network(torch.zeros(2, 3, 64, 32)).shape == (2, 1, 64, 32)


def test_skips_are_numbered_from_the_deepest_and_each_gate_adds_its_parameters() -> None:
    without = parameters(AttentionUNet(base_width=4, gated=()))
    deepest, second = AttentionGate(32, 64), AttentionGate(16, 32)
    for gated, gates in {(1,): [deepest], (2,): [second], (1, 2): [deepest, second]}.items():
        network = AttentionUNet(base_width=4, gated=gated)
        assert parameters(network) - without == sum(map(parameters, gates))


@pytest.mark.parametrize("gated", [(0,), (1, 4)])
def test_skip_that_there_is_not_cannot_be_gated(gated: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"no skip \[\d\] to gate; they are 1 to 3"):
        AttentionUNet(base_width=4, levels=4, gated=gated)


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


def test_gate_learns_from_the_skip_and_from_what_gates_it() -> None:
    torch.manual_seed(0)
    gate = AttentionGate(4, 8)
    skip = torch.rand(1, 4, 8, 8, requires_grad=True)
    gating = torch.rand(1, 8, 4, 4, requires_grad=True)
    gate(skip, gating).sum().backward()
    for reached in (skip, gating, *gate.parameters()):
        assert reached.grad is not None
        assert reached.grad.any()
