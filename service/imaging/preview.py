"""Photos made small and drawn on, for people to look at."""

from __future__ import annotations

from PIL import Image, ImageDraw

from service.core.geometry import Box
from service.core.orientation import Orientation
from service.imaging.rgb import rgb_of
from service.imaging.upright import turned_upright

BOX_COLOUR, REGION_COLOUR = (255, 170, 0), (255, 60, 60)
"""Of what is stored, and of what the model found in it."""


def small_upright(raw: Image.Image, orientation: Orientation, *, long_side: int) -> Image.Image:
    """RGB, the longer side at most `long_side` pixels; never enlarged, and never `raw` itself.

    Shrinks first and turns the small picture, which costs a hundredth of turning the photo.
    """
    factor = max(1.0, max(raw.size) / long_side)
    size = max(1, round(raw.width / factor)), max(1, round(raw.height / factor))
    small = rgb_of(raw).resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return turned_upright(small, orientation)


def scaled(box: Box, *, scale: float) -> Box:
    """Where a box of the photo lies in a picture of it that is `scale` times as large."""
    left, top = round(box.left * scale), round(box.top * scale)
    right, bottom = round(box.right * scale), round(box.bottom * scale)
    return Box(left, top, max(left + 1, right), max(top + 1, bottom))


def outline(picture: Image.Image, box: Box, *, colour: tuple[int, int, int], width_px: int) -> None:
    """Draws the inner edge of a box of the picture's own pixels."""
    corners = (box.left, box.top, box.right - 1, box.bottom - 1)
    ImageDraw.Draw(picture).rectangle(corners, outline=colour, width=width_px)
