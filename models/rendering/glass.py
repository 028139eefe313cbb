"""What lies over a plate: the reflection of a window or lamp, scratches, dust, smears, drops."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from models.rendering.materials import (
    Field,
    clouds,
    grey,
    smooth,
)


def glazed(
    rng: np.random.Generator, plate: Field, *, light: tuple[float, float], dirt: float
) -> Field:
    """The plate, (height, width, 3), seen through glass; `dirt` 0 (clean) to 1 (never wiped)."""
    shape = (plate.shape[0], plate.shape[1])
    seen = plate
    if rng.random() < 0.35 + 0.4 * dirt:
        haze = rng.uniform(0.02, 0.08) + 0.2 * dirt * rng.random()
        smear = smooth(clouds(rng, shape, cell=shape[0] / 3), -0.6, 1.4) * haze
        seen = seen * grey(1.0 - smear) + grey(np.float32(0.75) * smear)
    if rng.random() < 0.55:
        seen = seen + grey(_reflection(rng, shape, light))
    return _soiled(rng, seen, dirt) if dirt > 0.0 else seen


def _reflection(
    rng: np.random.Generator, shape: tuple[int, int], light: tuple[float, float]
) -> Field:
    """A window's bright panes, mirrored softly; made at a quarter of the size."""
    height, width = shape[0] // 4 + 1, shape[1] // 4 + 1
    mirror = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mirror)
    x = width * (0.5 + 0.33 * light[0]) + rng.normal(0, width * 0.1)
    y = height * (0.5 + 0.33 * light[1]) + rng.normal(0, height * 0.1)
    reach = rng.uniform(0.08, 0.3) * width
    lean = rng.normal(0, 0.3) * reach
    brightness = int(rng.uniform(25, 120))
    rows = 2 if rng.random() < 0.5 else 1
    for row in range(rows):
        for column in range(2):
            left, top = x + (column - 1) * reach * 1.06, y + (row - rows / 2) * reach * 1.06
            corners = [(left, top), (left + reach, top), (left + reach + lean, top + reach),
                       (left + lean, top + reach)]  # fmt: skip
            draw.polygon(corners, fill=brightness)
    soft = mirror.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2.5)))
    full = soft.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(full, dtype=np.float32) / 255.0


def _soiled(rng: np.random.Generator, plate: Field, dirt: float) -> Field:
    """Scratches catch the light, specks and streaks hide what is behind them."""
    height, width = plate.shape[:2]
    marks = Image.new("L", (width, height), 128)
    draw = ImageDraw.Draw(marks)
    for _ in range(int(rng.poisson(6 * dirt))):
        start, angle = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0, np.pi)
        end = start + rng.uniform(0.05, 0.5) * width * np.array([np.cos(angle), np.sin(angle)])
        draw.line([*start.tolist(), *end.tolist()], fill=int(rng.uniform(140, 190)))
    for _ in range(int(rng.poisson(40 * dirt))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        radius = width * 0.004 * rng.exponential()
        tone = int(rng.choice((60, 85, 165)))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tone)
    shift = (np.asarray(marks, dtype=np.float32) - 128.0) / 150.0
    return plate + grey(shift)
