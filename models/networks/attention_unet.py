"""Attention U-Net as in Mao et al. 2022, after Oktay et al. 2018 (arXiv:1804.03999).

The additive gate weighs a skip connection by what the level below has seen (Mao, equation 1):

    alpha = sigmoid(psi^T relu(W_t x_t + W_b x_b + b) + b_psi)

`x_t` is the gating signal from below, `x_b` the skip; both pass through 1x1 convolutions to the
gate's inner width (half of the skip's), alpha is resampled to the skip's size and multiplied with
it. The paper's best variant gates the two deepest skips ("layers 1 and 2"), the default here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class DoubleConvolution(nn.Sequential):
    """Two 3x3 convolutions, each with batch norm and ReLU; keeps height and width."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class AttentionGate(nn.Module):
    """Additive attention over a skip connection."""

    def __init__(self, skip_channels: int, gating_channels: int) -> None:
        super().__init__()
        inner = skip_channels // 2
        self.from_skip = nn.Conv2d(skip_channels, inner, 1, bias=False)
        self.from_gating = nn.Conv2d(gating_channels, inner, 1)
        self.psi = nn.Conv2d(inner, 1, 1)

    def forward(self, skip: Tensor, gating: Tensor) -> Tensor:
        # skip: (n, c, 2h, 2w); gating: (n, g, h, w); the sum is taken at the coarser size.
        coarse_skip = functional.avg_pool2d(self.from_skip(skip), 2)
        joined = functional.relu(coarse_skip + self.from_gating(gating))
        alpha = torch.sigmoid(self.psi(joined))  # (n, 1, h, w)
        alpha = functional.interpolate(alpha, scale_factor=2, mode="bilinear", align_corners=False)
        return skip * alpha


def require_skips(gated: Collection[int], skips: int) -> None:
    """Raises ValueError where `gated` names one that there is not; the deepest is 1."""
    if unknown := set(gated) - set(range(1, skips + 1)):
        raise ValueError(f"no skip {sorted(unknown)} to gate; they are 1 to {skips}")


class GatedUNet(nn.Module):
    """A U-Net of any `widths`, the channels of each level from the finest down.

    `stem` encodes the finest level, `answers` maps come out at its size. `gated` numbers the skips
    from the deepest, which is 1, upwards; raises ValueError for a skip that there is not.
    """

    def __init__(
        self, stem: nn.Module, widths: Sequence[int], *, gated: Collection[int], answers: int = 1
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleList([stem])
        self.encoders.extend(DoubleConvolution(before, after) for before, after in pairwise(widths))
        decoding = list(zip(widths[:0:-1], widths[-2::-1], strict=True))  # deepest first
        require_skips(gated, len(decoding))
        self.gates = nn.ModuleList(
            AttentionGate(skip, below) if depth in gated else nn.Identity()
            for depth, (below, skip) in enumerate(decoding, start=1)
        )
        self.upsamplers = nn.ModuleList(
            nn.ConvTranspose2d(below, skip, 2, stride=2) for below, skip in decoding
        )
        self.decoders = nn.ModuleList(DoubleConvolution(2 * skip, skip) for _, skip in decoding)
        self.head = nn.Conv2d(widths[0], answers, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        skips: list[Tensor] = []
        features = pixels
        for encoder in self.encoders:
            # level l, from 0: (n, widths[l], h / 2 ** l, w / 2 ** l), h and w those of the stem
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
        logits: Tensor = self.head(features)
        return logits


class AttentionUNet(GatedUNet):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 2 ** (levels - 1).

    `gated` numbers the skips from the deepest, which is 1, upwards: `(1,)`, `(2,)` and `(1, 2)`
    are the paper's three, `range(1, levels)` gates all.
    """

    def __init__(
        self, base_width: int = 64, levels: int = 5, gated: Collection[int] = (1, 2)
    ) -> None:
        widths = [base_width * 2**level for level in range(levels)]
        super().__init__(DoubleConvolution(3, base_width), widths, gated=gated)
