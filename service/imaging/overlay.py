"""The decision drawn into the photo, for people to judge it by."""

from __future__ import annotations

import numpy as np
from PIL import Image

from service.core.crop import Crop, Kept, Mask
from service.core.orientation import Orientation
from service.imaging.preview import BOX_COLOUR, REGION_COLOUR, outline, scaled, small_upright
from service.imaging.raster import png

MAX_SIDE = 1280
_TINT = (0, 190, 120)
_TINT_STRENGTH = 0.55


def overlay_png(
    raw: Image.Image, orientation: Orientation, *, mask: Mask, decision: Crop | Kept
) -> bytes:
    """`overlaid`, as a file without any loss."""
    return png(overlaid(raw, orientation, mask=mask, decision=decision))


def overlaid(
    raw: Image.Image, orientation: Orientation, *, mask: Mask, decision: Crop | Kept
) -> Image.Image:
    """The upright photo, its longer side at most 1280, with the mask tinted in.

    Of a crop its box is drawn amber and its region red.
    """
    picture = small_upright(raw, orientation, long_side=MAX_SIDE)
    picture.paste(Image.new("RGB", picture.size, _TINT), mask=_tint(mask, picture.size))
    if isinstance(decision, Crop):
        scale = picture.width / mask.frame.width
        for box, colour in ((decision.box, BOX_COLOUR), (decision.region, REGION_COLOUR)):
            outline(picture, scaled(box, scale=scale), colour=colour, width_px=3)
    return picture


def _tint(mask: Mask, size: tuple[int, int]) -> Image.Image:
    """How strongly to tint each pixel, without the padding of the model's square."""
    inner = mask.frame.inner
    strength = (mask.probabilities.clip(0.0, 1.0) * 255.0 * _TINT_STRENGTH).astype(np.uint8)
    on_photo = strength[inner.top : inner.bottom, inner.left : inner.right]
    return Image.fromarray(on_photo).resize(size, Image.Resampling.BILINEAR)
