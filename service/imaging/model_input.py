"""The model's square of a photo, made without turning the photo itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.core.geometry import Letterbox
from service.core.orientation import Orientation
from service.imaging.letterbox import letterboxed
from service.imaging.rgb import rgb_of
from service.imaging.upright import turned_upright


def model_input(
    raw: Image.Image, orientation: Orientation, *, side: int
) -> tuple[NDArray[np.uint8], Letterbox]:
    """RGB pixels, (side, side, 3), and how the upright photo lies in them.

    Shrinks first and turns the small picture, which costs a hundredth of turning the photo.
    """
    frame = Letterbox(*orientation.upright_size(*raw.size), side)
    inner = frame.inner
    small = rgb_of(raw).resize(
        orientation.upright_size(inner.width, inner.height),
        Image.Resampling.BILINEAR,
        reducing_gap=2.0,
    )
    return letterboxed(turned_upright(small, orientation), frame), frame
