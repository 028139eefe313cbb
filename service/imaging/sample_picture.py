"""A photo of a dry run, small, so that people see at a glance what would become of it."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from service.core.geometry import Box
from service.core.orientation import Orientation
from service.core.record import CropRecord
from service.imaging.preview import BOX_COLOUR, REGION_COLOUR, outline, scaled, small_upright

LONG_SIDE = 320
KEPT_COLOUR = (120, 128, 136)
_VEIL_COLOUR, _VEIL = (24, 28, 32), 0.55
"""Laid over what is given up, and how much of it is seen."""
_QUALITY = 80


def sample_picture(
    raw: Image.Image,
    orientation: Orientation,
    crop: CropRecord | None,
    *,
    long_side: int = LONG_SIDE,
) -> bytes:
    """A JPEG of the upright photo without metadata, its longer side at most `long_side` pixels.

    `raw` is what `decoded` returned. What a crop gives up is veiled, its box outlined amber and its
    region red; a photo that is kept is whole, in a grey frame.
    """
    picture = small_upright(raw, orientation, long_side=long_side)
    if crop is None:
        outline(picture, Box(0, 0, *picture.size), colour=KEPT_COLOUR, width_px=4)
        return _jpeg(picture)
    scale = picture.width / orientation.upright_size(*raw.size)[0]
    box = scaled(crop.box, scale=scale)
    picture = _veiled_around(picture, box)
    outline(picture, scaled(crop.region, scale=scale), colour=REGION_COLOUR, width_px=1)
    outline(picture, box, colour=BOX_COLOUR, width_px=2)
    return _jpeg(picture)


def _veiled_around(picture: Image.Image, box: Box) -> Image.Image:
    corners = (box.left, box.top, box.right, box.bottom)
    veiled = Image.blend(picture, Image.new("RGB", picture.size, _VEIL_COLOUR), _VEIL)
    veiled.paste(picture.crop(corners), (box.left, box.top))
    return veiled


def _jpeg(picture: Image.Image) -> bytes:
    """With full colour resolution, for the lines' sake, and without a comment from `info`."""
    picture.info = {}
    file = BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY, subsampling="4:4:4", optimize=True)
    return file.getvalue()
