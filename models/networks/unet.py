"""U-Net as in Ronneberger et al. 2015 (arXiv:1505.04597): an Attention U-Net without a gate.

Two things differ from the paper, as in nearly all that is called U-Net since: convolutions are
padded, so that the answer has the size of the photo, and each is followed by batch norm. Its map
for each of two classes is one logit here, region against all else.
"""

from __future__ import annotations

from models.networks.attention_unet import AttentionUNet


class UNet(AttentionUNet):
    """Logits (n, 1, h, w) of RGB (n, 3, h, w); h and w are multiples of 2 ** (levels - 1).

    The widths double from `base_width`, 64 to 1024 in the paper.
    """

    def __init__(self, base_width: int = 64, levels: int = 5) -> None:
        super().__init__(base_width, levels, gated=())
