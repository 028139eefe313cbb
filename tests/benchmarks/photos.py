"""Rendered photos of the sizes that phones take, as they are drawn and with a sensor's grain."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
from PIL import Image

from models.rendering import MeterKind, render

QUALITY = 90
GRAIN = 4.0
"""Of a sensor, in levels of grey; it makes three to four times as many bytes, what phones write."""
SIZES = {"2 MP": (1600, 1200), "10 MP": (3648, 2736), "12 MP": (4000, 3000)}
NOISE = {"smooth": 0.0, "noisy as a phone's": GRAIN}
METERS = {"a meter near by": 308, "a meter farther away": 326}
"""Seeds: crops of a sixth and of a fourteenth, and a third fewer bytes in the second photo."""


@cache
def photo_bytes(size: str, noise: str, meter: str) -> bytes:
    """A JPEG by its names in `SIZES`, `NOISE` and `METERS`."""
    width, height = SIZES[size]
    photo = render(METERS[meter], kind=MeterKind.GAS, width=width, height=height).photo
    return jpeg_of(np.asarray(photo), grain=NOISE[noise])


def grainy(jpeg: bytes) -> bytes:
    """The photo as a phone would have written it."""
    with Image.open(BytesIO(jpeg)) as image:
        return jpeg_of(np.asarray(image), grain=GRAIN)


def jpeg_of(pixels: np.ndarray, *, grain: float) -> bytes:
    noise = np.random.default_rng(0).normal(0.0, grain, (*pixels.shape[:2], 1))
    file = BytesIO()
    noisy = (pixels + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
