"""A small Attention U-Net that works at half the resolution of what it reads and answers.

The head answers four logits a place, which are shuffled to pixels: the sub-pixel convolution of
Shi et al. 2016 (arXiv:1609.05158, section 3.2). The stem is its inverse, pixels folded into
channels (n, 12, h / 2, w / 2) before a 3x3 convolution, written as the one convolution that this
is: 6x6 with stride 2. The costly full-size levels fall away, and no pixel is left out.
The gates on the two deepest skips are those of Mao et al. 2022 (`attention_unet`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import Tensor, nn
from torch.nn import functional

from models.networks.attention_unet import GatedUNet

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


class SubpixelUNet(GatedUNet):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 2 ** len(widths).

    `widths` are the channels of each level from the finest, at half resolution, down. `gated`
    numbers the skips from the deepest, which is 1, upwards.
    """

    def __init__(
        self, widths: Sequence[int] = (16, 32, 64, 96, 128), gated: Collection[int] = (1, 2)
    ) -> None:
        super().__init__(Stem(widths[0]), widths, gated=gated, answers=FOLD**2)

    def forward(self, pixels: Tensor) -> Tensor:
        # (n, 4, h / 2, w / 2) to (n, 1, h, w)
        return functional.pixel_shuffle(super().forward(pixels), FOLD)
