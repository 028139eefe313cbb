"""The decision drawn into the photo, for people to judge it by."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from service.core.crop import Crop, Kept, Mask
from service.core.geometry import Box
from service.core.orientation import Orientation
from service.imaging.raster import png
from service.imaging.rgb import rgb_of
from service.imaging.upright import turned_upright

MAX_SIDE = 1280
_TINT, _BOX, _REGION = (0, 190, 120), (255, 170, 0), (255, 60, 60)
_TINT_STRENGTH = 0.55


def overlay_png(
    raw: Image.Image, orientation: Orientation, *, mask: Mask, decision: Crop | Kept
) -> bytes:
    """The upright photo, its longer side at most 1280, with the mask tinted in.

    Of a crop its box is drawn amber and its region red.
    """
    picture = _small_upright(raw, orientation)
    picture.paste(Image.new("RGB", picture.size, _TINT), mask=_tint(mask, picture.size))
    if isinstance(decision, Crop):
        scale = picture.width / mask.frame.width
        _draw(picture, decision.box, scale, _BOX)
        _draw(picture, decision.region, scale, _REGION)
    return png(picture)


def _small_upright(raw: Image.Image, orientation: Orientation) -> Image.Image:
    small = rgb_of(raw).copy()
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    return turned_upright(small, orientation)


def _tint(mask: Mask, size: tuple[int, int]) -> Image.Image:
    """How strongly to tint each pixel, without the padding of the model's square."""
    inner = mask.frame.inner
    strength = (mask.probabilities.clip(0.0, 1.0) * 255.0 * _TINT_STRENGTH).astype(np.uint8)
    on_photo = strength[inner.top : inner.bottom, inner.left : inner.right]
    return Image.fromarray(on_photo).resize(size, Image.Resampling.BILINEAR)


def _draw(picture: Image.Image, box: Box, scale: float, colour: tuple[int, int, int]) -> None:
    left, top = round(box.left * scale), round(box.top * scale)
    right, bottom = round(box.right * scale) - 1, round(box.bottom * scale) - 1
    corners = (left, top, max(left, right), max(top, bottom))
    ImageDraw.Draw(picture).rectangle(corners, outline=colour, width=3)
