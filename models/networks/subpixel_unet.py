"""A small Attention U-Net that works at half the resolution of what it reads and answers.

The head answers four logits a place, which are shuffled to pixels: the sub-pixel convolution of
Shi et al. 2016 (arXiv:1609.05158, section 3.2). The stem is its inverse, pixels folded into
channels (n, 12, h / 2, w / 2) before a 3x3 convolution, written as the one convolution that this
is: 6x6 with stride 2. The costly full-size levels fall away, and no pixel is left out.
The gates on the two deepest skips are those of Mao et al. 2022 (`attention_unet`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.attention_unet import AttentionGate, DoubleConvolution

FOLD = 2
"""Pixels that share a place, along each side."""


class Stem(nn.Sequential):
    """Folds the pixels, then two convolutions: (n, 3, h, w) to (n, channels, h / 2, w / 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Conv2d(3, channels, 3 * FOLD, stride=FOLD, padding=FOLD, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )


class SubpixelUNet(nn.Module):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 2 ** len(widths).

    `widths` are the channels of each level from the finest, at half resolution, down. `gated`
    numbers the skips from the deepest, which is 1, upwards.
    """

    def __init__(
        self, widths: Sequence[int] = (16, 32, 64, 96, 128), gated: Collection[int] = (1, 2)
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList([Stem(widths[0])])
        self.encoders.extend(DoubleConvolution(before, after) for before, after in pairwise(widths))
        decoding = list(zip(widths[:0:-1], widths[-2::-1], strict=True))  # deepest first
        self.gates = nn.ModuleList(
            AttentionGate(skip, below) if depth in gated else nn.Identity()
            for depth, (below, skip) in enumerate(decoding, start=1)
        )
        self.upsamplers = nn.ModuleList(
            nn.ConvTranspose2d(below, skip, 2, stride=2) for below, skip in decoding
        )
        self.decoders = nn.ModuleList(DoubleConvolution(2 * skip, skip) for _, skip in decoding)
        self.head = nn.Conv2d(widths[0], FOLD**2, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        skips: list[Tensor] = []
        features = pixels
        for encoder in self.encoders:
            # level l, from 0: (n, widths[l], h / 2 ** (l + 1), w / 2 ** (l + 1))
            features = encoder(functional.max_pool2d(features, 2) if skips else features)
            skips.append(features)
        skips.pop()
        for gate, upsampler, decoder in zip(
            self.gates, self.upsamplers, self.decoders, strict=True
        ):
            skip = skips.pop()
            if isinstance(gate, AttentionGate):
                skip = gate(skip, features)
            features = decoder(torch.cat([skip, upsampler(features)], dim=1))
        # (n, 4, h / 2, w / 2) to (n, 1, h, w)
        logits: Tensor = functional.pixel_shuffle(self.head(features), FOLD)
        return logits
