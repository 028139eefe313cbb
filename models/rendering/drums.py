"""Numbered drums behind their windows: curved, shaded, and turning from one digit to the next."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from models.rendering.counter import Counter
from models.rendering.lettering import letters
from models.rendering.materials import (
    Colour,
    Field,
    grain,
    grey,
    ink,
    picture,
    smooth,
)
from models.rendering.sheet import Sheet

BULGE = 0.86
"""Sine of the angle at which a drum leaves its window."""


def draw_drums(
    sheet: Sheet, counter: Counter, rng: np.random.Generator, *, light: tuple[float, float]
) -> None:
    """Draws all windows with their drums around the origin of the sheet's frame."""
    count = len(counter.digits)
    turned = turns(counter)
    wobble = rng.normal(0.0, 0.035, count)
    left, top, right, bottom = sheet.pixels((-0.5, -counter.height / 2, 0.5, counter.height / 2))
    ImageDraw.Draw(sheet.image).rectangle((left, top, right, bottom), fill=ink(counter.between))
    for index, digit in enumerate(counter.digits):
        last = index == count - 1
        height = counter.last_height if last else counter.height
        span = _window(counter, index, height)
        x0, y0, x1, y1 = (round(v) for v in sheet.pixels(span))
        shape = (max(y1 - y0, 3), max(x1 - x0, 2))
        decimal = index >= len(counter.whole)
        strip = _strip(counter, int(digit), shape, decimal=decimal, ticks=last)
        drum = _curved(strip, shape, turn=turned[index] + wobble[index])
        drum *= grey(_shade(shape, light))
        drum += grey(grain(rng, shape, 0.015))
        sheet.image.paste(picture(drum), (x0, y0))


def turns(counter: Counter) -> list[float]:
    """How far each drum has turned past its digit; a drum moves while all after it show nine."""
    moving = counter.roll
    result: list[float] = []
    for digit in reversed(counter.digits):
        result.append(moving)
        moving = moving if digit == "9" else 0.0
    return result[::-1]


def _window(counter: Counter, index: int, height: float) -> tuple[float, float, float, float]:
    """The window of one drum; the outer ones reach to the counter's ends."""
    half_gap = counter.gap * counter.pitch / 2
    left = -0.5 + index * counter.pitch + (half_gap if index else 0.0)
    last = index == len(counter.digits) - 1
    right = -0.5 + (index + 1) * counter.pitch - (0.0 if last else half_gap)
    return left, -height / 2, right, height / 2


def _strip(
    counter: Counter, digit: int, shape: tuple[int, int], *, decimal: bool, ticks: bool
) -> Field:
    """Three digits of the unrolled drum, one above the other, the asked one in the middle."""
    height, width = shape
    ground = counter.decimal_ground if decimal else counter.ground
    figure = counter.decimal_figure if decimal else counter.figure
    pitch = max(round(height * (counter.digit_share + 0.32)), 3)
    strip = Image.new("RGB", (width, 3 * pitch), ink(ground))
    cap = counter.height / max(counter.last_height, 1e-6) if ticks else 1.0
    for place in range(3):
        text = str((digit + place - 1) % 10)
        glyph = letters(text, height * counter.digit_share * cap, hand=counter.hand)
        _centre(strip, glyph, place * pitch + pitch // 2, figure, share=0.82 if ticks else 0.92)
    if ticks:
        _draw_ticks(strip, pitch, figure)
    return np.asarray(strip, dtype=np.float32) / 255.0


def _centre(
    strip: Image.Image, glyph: Image.Image, middle: int, figure: Colour, *, share: float
) -> None:
    """Sets the glyph in the middle; one too wide for the drum is narrowed."""
    cut = glyph.crop(glyph.getbbox() or (0, 0, 1, 1))
    room = max(int(strip.width * share), 1)
    if cut.width > room:
        cut = cut.resize((room, cut.height), Image.Resampling.BILINEAR)
    strip.paste(ink(figure), ((strip.width - cut.width) // 2, middle - cut.height // 2), cut)


def _draw_ticks(strip: Image.Image, pitch: int, figure: Colour) -> None:
    """Ten ticks a digit at the right edge."""
    draw = ImageDraw.Draw(strip)
    for tick in range(30):
        y = (tick + 0.5) * pitch / 10
        length = 0.16 if tick % 5 else 0.24
        draw.line((strip.width * (1 - length), y, strip.width, y), ink(figure))


def _curved(strip: Field, shape: tuple[int, int], *, turn: float) -> Field:
    """The part of the strip that the window shows, squeezed towards the drum's edges."""
    height = shape[0]
    pitch = strip.shape[0] / 3
    across = np.linspace(-1.0, 1.0, height)
    rolled = np.arcsin(across * BULGE) / np.arcsin(BULGE) * height * 0.58
    rows = np.clip(pitch * (1.5 + turn) + rolled, 0, strip.shape[0] - 1).astype(int)
    shown: Field = strip[rows].copy()
    return shown


def _shade(shape: tuple[int, int], light: tuple[float, float]) -> Field:
    """Darker where the drum turns away, and under the edges of its window."""
    height, width = shape
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
    x = np.linspace(0.0, 1.0, width, dtype=np.float32)[None, :]
    lit = 0.42 + 0.6 * np.sqrt(np.maximum(1.0 - (0.93 * y + 0.1 * light[1]) ** 2, 0.0))
    from_above = smooth(y + 1.0, -0.05, 0.35)
    from_sides = 0.72 + 0.28 * smooth(np.minimum(x, 1.0 - x), 0.0, 0.12)
    shade: Field = lit * (0.55 + 0.45 * from_above) * from_sides
    return shade.astype(np.float32)
