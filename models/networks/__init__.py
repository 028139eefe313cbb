"""One file a network; `build` finds one by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from models.networks.attention_unet import AttentionUNet
from models.networks.subpixel_unet import SubpixelUNet

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "attention_unet": AttentionUNet,
    "subpixel_unet": SubpixelUNet,
}


def build(name: str, options: dict[str, Any]) -> nn.Module:
    """The network called `name`, freshly initialized; raises ValueError for a name not known."""
    if name not in NETWORKS:
        raise ValueError(f"no network is called {name!r}; there are: {', '.join(sorted(NETWORKS))}")
    return NETWORKS[name](**options)
