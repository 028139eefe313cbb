"""Turning pixels; what each orientation means is `Orientation`'s to say."""

from __future__ import annotations

from PIL import Image

from service.core.orientation import Orientation

_TURNS = {
    Orientation.MIRRORED: Image.Transpose.FLIP_LEFT_RIGHT,
    Orientation.TURNED_180: Image.Transpose.ROTATE_180,
    Orientation.FLIPPED: Image.Transpose.FLIP_TOP_BOTTOM,
    Orientation.TRANSPOSED: Image.Transpose.TRANSPOSE,
    Orientation.TURNED_90_CLOCKWISE: Image.Transpose.ROTATE_270,
    Orientation.TRANSVERSED: Image.Transpose.TRANSVERSE,
    Orientation.TURNED_90_COUNTERCLOCKWISE: Image.Transpose.ROTATE_90,
}


def turned_upright(raw: Image.Image, orientation: Orientation) -> Image.Image:
    """The picture as it is meant to be seen; `raw` itself where it is so already."""
    turn = _TURNS.get(orientation)
    return raw if turn is None else raw.transpose(turn)
