"""One file a network; `build` finds one by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from models.networks.attention_unet import AttentionUNet
from models.networks.gradnet import GraDNet
from models.networks.micro_net import MicroNet
from models.networks.quarter_unet import QuarterUNet
from models.networks.residual_unet import ResidualUNet
from models.networks.subpixel_unet import SubpixelUNet
from models.networks.unet import UNet

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "attention_unet": AttentionUNet,
    "gradnet": GraDNet,
    "micro_net": MicroNet,
    "quarter_unet": QuarterUNet,
    "residual_unet": ResidualUNet,
    "subpixel_unet": SubpixelUNet,
    "unet": UNet,
}


def build(name: str, options: dict[str, Any]) -> nn.Module:
    """The network called `name`, freshly initialized; raises ValueError for a name not known."""
    if name not in NETWORKS:
        raise ValueError(f"no network is called {name!r}; there are: {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name](**options)
