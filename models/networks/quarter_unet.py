"""A small residual Attention U-Net whose finest level has a quarter of the pixels along each side.

The costly levels of a U-Net are the finest. Two strided convolutions lead past them, and the head
answers sixteen logits a place, shuffled to pixels: the sub-pixel convolution of Shi et al. 2016
(arXiv:1609.05158, section 3.2). Levels are halved by strided convolutions and hold one residual
block (He et al. 2015, arXiv:1512.03385, option A); the decoder adds the skip to what comes from
below (Chaurasia and Culurciello 2017, arXiv:1707.03718), which halves its work. The gates on the
two deepest skips are those of Mao et al. 2022 (`attention_unet`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from models.networks.attention_unet import AttentionGate, require_skips

FOLD = 4
"""Pixels that share a place of the finest level, along each side."""


class Convolution(nn.Sequential):
    """3x3 with batch norm and ReLU; `stride` 2 halves height and width."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside the identity; keeps the shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Convolution(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.norm(self.second(self.first(features))))


class Decoder(nn.Module):
    """(n, below, h, w) and a skip (n, c, 2h, 2w), gated or not, to (n, c, 2h, 2w)."""

    def __init__(self, below: int, skip: int, *, gated: bool) -> None:
        super().__init__()
        self.gate = AttentionGate(skip, below) if gated else None
        self.narrowed = nn.Conv2d(below, skip, 1)
        self.block = ResidualBlock(skip)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        if self.gate is not None:
            skip = self.gate(skip, features)
        wider = functional.interpolate(self.narrowed(features), scale_factor=2, mode="nearest")
        joined: Tensor = self.block(wider + skip)
        return joined


class QuarterUNet(nn.Module):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 2 ** (len(widths) + 1).

    `widths` are the channels of each level from the finest, at a quarter of the resolution, down.
    `gated` numbers the skips from the deepest, which is 1, upwards; raises ValueError for a skip
    that there is not.
    """

    def __init__(
        self, widths: Sequence[int] = (32, 48, 96, 144), gated: Collection[int] = (1, 2)
    ) -> None:
        super().__init__()
        require_skips(gated, len(widths) - 1)
        finest = widths[0]
        self.stem = nn.Sequential(Convolution(3, 16, 2), Convolution(16, finest, 2))
        self.encoders = nn.ModuleList(
            nn.Sequential(Convolution(before, after, 2), ResidualBlock(after))
            for before, after in pairwise(widths)
        )
        self.decoders = nn.ModuleList(
            Decoder(below, skip, gated=depth in gated)
            for depth, (below, skip) in enumerate(pairwise(reversed(widths)), start=1)
        )
        self.head = nn.Conv2d(finest, FOLD**2, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.stem(pixels)
        skips: list[Tensor] = []
        for encoder in self.encoders:
            # skip l, from 0: (n, widths[l], h / 2 ** (l + 2), w / 2 ** (l + 2))
            skips.append(features)
            features = encoder(features)
        for decoder in self.decoders:
            features = decoder(features, skips.pop())
        # (n, 16, h / 4, w / 4) to (n, 1, h, w)
        return functional.pixel_shuffle(self.head(features), FOLD)
