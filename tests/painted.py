"""Photos for `tests.segmenters`: grey and noisy, with regions painted in its colours."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from service.core.geometry import Box

RED, BLUE = (230, 20, 20), (20, 20, 230)
COUNTER = Box(240, 180, 400, 260)
"""Where the region lies unless a test says otherwise."""


def painted_photo(
    seed: int = 0,
    *,
    regions: Sequence[Box] = (COUNTER,),
    colour: tuple[int, int, int] = RED,
    size: tuple[int, int] = (640, 480),
    media_type: str = "image/jpeg",
    exif: Image.Exif | None = None,
) -> bytes:
    """The encoded photo; each seed gives other bytes."""
    width, height = size
    grey = np.random.default_rng(seed).integers(60, 190, (height, width, 1), dtype=np.uint8)
    pixels = np.repeat(grey, 3, axis=2)
    for box in regions:
        pixels[box.top : box.bottom, box.left : box.right] = colour
    encoded = io.BytesIO()
    options = {"quality": 90, "optimize": True} | ({} if exif is None else {"exif": exif})
    Image.fromarray(pixels).save(encoded, media_type.removeprefix("image/").upper(), **options)
    return encoded.getvalue()
