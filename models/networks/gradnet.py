"""GraDNet as in Jia et al. 2022 ("Pixel-level semantic segmentation based on gradient features").

A wide stem, the gradient layer, which finds edges and strengthens them, and a residual network of
factorized convolutions after the paper's table 1. No code was published, and the paper leaves
gaps. Filled, each with the plainest reading:

- Algorithm 1 keeps a window's second difference where delta < lambda, yet lambda is to tell that
  there *is* an edge. Here it is kept where the window varies by lambda or more.
- delta is the greatest value less the smallest in the 3x3 window of a channel; lambda, whose
  value the paper does not give, is half a standard deviation of the batch norm before it.
- In algorithm 2 the next window lies one step down and to the right. Both windows hold the same
  second difference where both have an edge: half of it is kept there, and nothing elsewhere.
- Past the border a feature map goes on as it ends.
- "Input data" that edges are multiplied with and added to are what the gradient layer reads; the
  pixels have another size and other channels.
- All 14 factorized convolutions have stride 2. A 1xk one takes it along its own axis, so that a
  pair halves height and width. Even so nothing would be left of a photo: the residual network
  must bring the size back. Here each residual block's answer is resampled to its input's size and
  added to it, the "fusion" of high and low resolution that the text names.
- Blocks are convolutions 2 to 5, 6 to 9, 10 to 13, 14 and 15, the rows' period. A shortcut whose
  channels differ is a 1x1 convolution, as in ResNet (arXiv:1512.03385), which the paper names.
- Batch norm and ReLU after each convolution, as there. The last map is resampled to the photo.
- Convolution 16 has one filter in the table, while the data sets have 8 and 150 classes; a map a
  class is meant. With region and background as the classes, one logit says the same.

The table's rows come to some 0.2 MB of weights; the 22.1 MB that the paper states stay open.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

STEM_STRIDE = 4
WIDE, NARROW = (16, 3), (8, 5)
"""Filters and size of the factorized convolutions."""


class GradientLayer(nn.Module):
    """The edges of features (n, c, h, w) at the same size: half their second difference.

    It is zero where a 3x3 window around, or the next one along the diagonal, varies by less than
    `threshold`.
    """

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, features: Tensor) -> Tensor:
        extended = functional.pad(features, (1, 1, 1, 1), mode="replicate")
        below, right = extended[:, :, 2:, 1:-1], extended[:, :, 1:-1, 2:]
        difference = below + right - 2 * features
        greatest = functional.max_pool2d(extended, 3, stride=1)
        smallest = -functional.max_pool2d(-extended, 3, stride=1)
        has_edge = (greatest - smallest >= self.threshold).to(features.dtype)
        next_has_edge = functional.pad(has_edge, (0, 1, 0, 1), mode="replicate")[:, :, 1:, 1:]
        return difference * has_edge * next_has_edge / 2


class FactorizedPair(nn.Sequential):
    """A 1x`size` and a `size`x1 convolution, each of stride 2 along its own axis."""

    def __init__(self, channels_in: int, filters: int, size: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, filters, (1, size), (1, 2), (0, size // 2), bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(filters, filters, (size, 1), (2, 1), (size // 2, 0), bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Pairs of (filters, size) that shrink; what they answer is enlarged and added to the input."""

    def __init__(self, channels_in: int, pairs: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        channels = [channels_in, *(filters for filters, _ in pairs)]
        self.pairs = nn.Sequential(
            *(
                FactorizedPair(before, filters, size)
                for before, (filters, size) in zip(channels[:-1], pairs, strict=True)
            )
        )
        self.shortcut: nn.Module = nn.Identity()
        if channels[-1] != channels_in:
            self.shortcut = nn.Conv2d(channels_in, channels[-1], 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(
            _enlarged(self.pairs(features), 2 ** len(self.pairs)) + self.shortcut(features)
        )


class GraDNet(nn.Module):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 16."""

    def __init__(self, stem_width: int = 128, threshold: float = 0.5) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem_width, 11, stride=STEM_STRIDE, padding=5, bias=False),
            nn.BatchNorm2d(stem_width),
            nn.ReLU(inplace=True),
        )
        self.gradient = GradientLayer(threshold)
        self.blocks = nn.Sequential(
            ResidualBlock(stem_width, [WIDE, NARROW]),
            ResidualBlock(NARROW[0], [WIDE, NARROW]),
            ResidualBlock(NARROW[0], [WIDE, NARROW]),
            ResidualBlock(NARROW[0], [WIDE]),
        )
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.head = nn.Conv2d(WIDE[0], 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.stem(pixels)  # (n, stem_width, h / 4, w / 4)
        features = features * self.gradient(features) + features
        features = self.pool(self.blocks(features))  # (n, 16, h / 4, w / 4)
        return _enlarged(self.head(features), STEM_STRIDE)


def _enlarged(features: Tensor, times: int) -> Tensor:
    return functional.interpolate(
        features, scale_factor=times, mode="bilinear", align_corners=False
    )
