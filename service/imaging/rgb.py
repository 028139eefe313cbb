"""Any decoded picture as plain 8-bit RGB, for looking at; never for what must stay exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BACKGROUND = (255, 255, 255)
"""Behind what is transparent: white, as browsers and paper show it."""


def rgb_of(image: Image.Image) -> Image.Image:
    """Mode `RGB`; transparency is laid on white, deeper samples keep their upper eight bits."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        image = Image.fromarray(_to_8_bits(np.asarray(image)))
    if not image.has_transparency_data:
        return image.convert("RGB")
    seen = image.convert("RGBA")
    flat = Image.new("RGB", image.size, BACKGROUND)
    flat.paste(seen, mask=seen.getchannel("A"))
    return flat


def _to_8_bits(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """32-bit samples have no fixed range: which it is is told from the largest."""
    largest = float(np.nanmax(samples))
    ranges = (255.0, 65_535.0) if np.issubdtype(samples.dtype, np.integer) else (1.0, 255.0)
    full_range = next((full for full in ranges if largest <= full), largest)
    scaled = np.nan_to_num(samples.astype(np.float64)) * (255.0 / full_range)
    return scaled.clip(0.0, 255.0).astype(np.uint8)
