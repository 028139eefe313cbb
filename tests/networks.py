"""What several tests ask of a network."""

from __future__ import annotations

from torch import nn


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def weights(network: nn.Module) -> int:
    """Parameters of convolutions without their biases: what the papers count."""
    return sum(one.numel() for one in network.parameters() if one.dim() == 4)
