"""A plain task for small networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_bright_photos(folder: Path, *, side: int, count: int) -> None:
    """Grey photos with one bright rectangle, which is the region, as images and masks."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    rng = np.random.default_rng(0)
    width, height = side * 5 // 16, side * 5 // 32
    for number in range(count):
        photo = Image.fromarray(rng.integers(40, 90, (side, side, 3), dtype=np.uint8))
        mask = Image.new("L", (side, side), 0)
        left, top = (int(offset) for offset in rng.integers(side // 16, side * 9 // 16, 2))
        photo.paste((230, 220, 210), (left, top, left + width, top + height))
        mask.paste(255, (left, top, left + width, top + height))
        photo.save(folder / "images" / f"n{number}.jpg", quality=95)
        mask.save(folder / "masks" / f"n{number}.png")
