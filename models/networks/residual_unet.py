"""The low-power U-Net of Liao et al. 2022 ("MediaTek low-power semantic segmentation").

Average pooling halves, nearest neighbours double. The report's text and figures leave the sizes
open; they are those of the authors' code: a stem of the base width, then five levels of 2 to 32
times that, a skip taken before each. Two things the report states otherwise than its code does:

- the encoder's levels are residual blocks (He et al. 2015, arXiv:1512.03385), the better row of
  its table; its code has plain pairs of convolutions (`residual=False`);
- the decoder is U-Net's, two convolutions of features beside the skip; its code has one
  convolution a level, to which the skip is added (`skips="added"`).

A shortcut whose channels differ is a 1x1 convolution (He's option B).
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.attention_unet import DoubleConvolution


class Skips(StrEnum):
    """How a level's decoder takes the skip."""

    CONCATENATED = "concatenated"
    ADDED = "added"


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a 1x1 shortcut; keeps height and width."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels_out)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(channels_out)

    def forward(self, features: Tensor) -> Tensor:
        change = functional.relu(self.first_norm(self.first(features)))
        change = self.second_norm(self.second(change))
        return functional.relu(change + self.shortcut_norm(self.shortcut(features)))


class ConcatenatingDecoder(nn.Module):
    """Two convolutions of the features beside the skip."""

    def __init__(self, channels_below: int, skip_channels: int) -> None:
        super().__init__()
        self.convolutions = DoubleConvolution(channels_below + skip_channels, skip_channels)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        joined: Tensor = self.convolutions(torch.cat([skip, features], dim=1))
        return joined


class AddingDecoder(nn.Module):
    """The skip is added to one convolution of the features, before batch norm and ReLU."""

    def __init__(self, channels_below: int, skip_channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels_below, skip_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(skip_channels)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        return functional.relu(self.norm(self.convolution(features) + skip))


class ResidualUNet(nn.Module):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 16.

    The report trains base widths 5, 8 and 12, of which 12 is its best.
    """

    def __init__(
        self, base_width: int = 12, *, residual: bool = True, skips: Skips = Skips.CONCATENATED
    ) -> None:
        super().__init__()
        widths = [base_width * 2**level for level in range(6)]
        level = ResidualBlock if residual else DoubleConvolution
        match Skips(skips):  # a recipe brings the bare word
            case Skips.CONCATENATED:
                decoder: type[nn.Module] = ConcatenatingDecoder
            case Skips.ADDED:
                decoder = AddingDecoder
        self.stem = nn.Sequential(
            nn.Conv2d(3, base_width, 3, padding=1, bias=False),
            nn.BatchNorm2d(base_width),
            nn.ReLU(inplace=True),
        )
        self.encoders = nn.ModuleList(level(before, after) for before, after in pairwise(widths))
        self.decoders = nn.ModuleList(
            decoder(below, skip) for below, skip in pairwise(reversed(widths))
        )
        self.head = nn.Conv2d(base_width, 1, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.stem(pixels)
        skips: list[Tensor] = []
        for encoder in self.encoders:
            if skips:
                features = functional.avg_pool2d(features, 2)
            # skip l, from 0: (n, b * 2 ** l, h / 2 ** l, w / 2 ** l); its level doubles the width
            skips.append(features)
            features = encoder(features)
        features = self.decoders[0](features, skips.pop())
        for decoder in self.decoders[1:]:
            features = functional.interpolate(features, scale_factor=2, mode="nearest")
            features = decoder(features, skips.pop())
        logits: Tensor = self.head(features)
        return logits
