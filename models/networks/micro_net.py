"""Micro-Net as in Chen et al. ("A miniaturized semantic segmentation method ...").

A U-Net of fire modules (Iandola et al. 2016, arXiv:1602.07360) with dilations, fewer levels, added
skips, and neither bias nor batch norm. Widths are those of the paper's table 3, a squeeze ratio of
0.25; its text says 0.125, by which none of the table's counts comes out. A deconvolution has no
ReLU, as in the authors' code. The paper's softmax over two maps is one logit here, which takes 64
of its 1,055,920 weights away.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SQUEEZE_RATIO = 0.25
WIDE_SHARE = 0.5
"""Of a fire module's answers, those of its 3x3 convolution."""
ENCODER_DILATIONS = (1, 1, 2, 3)
DECODER_DILATIONS = (3, 2, 1)


class Fire(nn.Module):
    """1x1 squeezes the channels, 1x1 and dilated 3x3 expand them; keeps height and width."""

    def __init__(self, channels_in: int, channels_out: int, dilation: int) -> None:
        super().__init__()
        squeezed, wide = int(SQUEEZE_RATIO * channels_out), int(WIDE_SHARE * channels_out)
        self.squeeze = nn.Conv2d(channels_in, squeezed, 1, bias=False)
        self.expand_1x1 = nn.Conv2d(squeezed, channels_out - wide, 1, bias=False)
        self.expand_3x3 = nn.Conv2d(
            squeezed, wide, 3, padding=dilation, dilation=dilation, bias=False
        )

    def forward(self, features: Tensor) -> Tensor:
        squeezed = functional.relu(self.squeeze(features))
        expanded = [self.expand_1x1(squeezed), self.expand_3x3(squeezed)]
        return functional.relu(torch.cat(expanded, dim=1))


class MicroNet(nn.Module):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 4.

    `base_width` is that of the finest level, a multiple of 4; it doubles twice.
    """

    def __init__(self, base_width: int = 64) -> None:
        super().__init__()
        widths = [base_width, 2 * base_width, 4 * base_width]
        self.encoders = nn.ModuleList(
            _fires(before, after, ENCODER_DILATIONS) for before, after in pairwise([3, *widths])
        )
        self.decoders = nn.ModuleList(
            _fires(width, width, DECODER_DILATIONS) for width in reversed(widths)
        )
        self.upsamplers = nn.ModuleList(
            nn.ConvTranspose2d(below, skip, 2, stride=2, bias=False)
            for below, skip in pairwise(reversed(widths))
        )
        self.head = nn.Conv2d(base_width, 1, 1, bias=False)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):  # after He et al. 2015
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, pixels: Tensor) -> Tensor:
        fine = self.encoders[0](pixels)  # (n, b, h, w)
        middle = self.encoders[1](functional.max_pool2d(fine, 2))  # (n, 2b, h / 2, w / 2)
        coarse = self.encoders[2](functional.max_pool2d(middle, 2))  # (n, 4b, h / 4, w / 4)
        features = self.decoders[0](coarse)
        features = self.decoders[1](middle + self.upsamplers[0](features))
        features = self.decoders[2](fine + self.upsamplers[1](features))
        logits: Tensor = self.head(features)
        return logits


def _fires(channels_in: int, channels_out: int, dilations: tuple[int, ...]) -> nn.Sequential:
    """One fire module a dilation, in that order."""
    channels = [channels_in] + [channels_out] * (len(dilations) - 1)
    return nn.Sequential(
        *(
            Fire(before, channels_out, dilation)
            for before, dilation in zip(channels, dilations, strict=True)
        )
    )
