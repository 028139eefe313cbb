"""The picture that the model sees; training and serving share this one function."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.core.geometry import Letterbox

PADDING_GREY = 128


def letterboxed(upright: Image.Image, frame: Letterbox) -> NDArray[np.uint8]:
    """RGB pixels, (side, side, 3), of the upright photo or of a smaller rendition of it.

    `frame` is made from the full photo's size, so that a thumbnail lands where the photo would.
    """
    inner = frame.inner
    small = upright.convert("RGB").resize(
        (inner.width, inner.height), Image.Resampling.BILINEAR, reducing_gap=2.0
    )
    return in_square(np.asarray(small), frame)


def in_square(inner_pixels: NDArray[np.uint8], frame: Letterbox) -> NDArray[np.uint8]:
    """The same of what has `frame.inner`'s size already, RGB."""
    inner = frame.inner
    square = np.full((frame.side, frame.side, 3), PADDING_GREY, dtype=np.uint8)
    square[inner.top : inner.bottom, inner.left : inner.right] = inner_pixels
    return square
