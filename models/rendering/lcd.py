"""Seven-segment digits on a liquid crystal glass."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from models.rendering.counter import Counter
from models.rendering.lettering import Hand, letters
from models.rendering.materials import Colour, clouds, ink, picture, smooth, tinted
from models.rendering.sheet import Sheet

LIT = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc",
    "5": "afgcd", "6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip
ENDS = {
    # each segment's two ends on a grid of 1 by 2
    "a": ((0, 0), (1, 0)), "b": ((1, 0), (1, 1)), "c": ((1, 1), (1, 2)), "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)), "f": ((0, 0), (0, 1)), "g": ((0, 1), (1, 1)),
}  # fmt: skip
GHOST = 0.07
"""How dark the segments are that are not lit."""


def draw_lcd(sheet: Sheet, counter: Counter, rng: np.random.Generator) -> None:
    """Draws the whole glass around the origin of the sheet's frame."""
    left, top, right, bottom = (
        round(v) for v in sheet.pixels((-0.5, -counter.height / 2, 0.5, counter.height / 2))
    )
    width, height = max(right - left, 4), max(bottom - top, 4)
    glass = _glass(rng, (width, height), counter.ground)
    room = 0.9 * width / len(counter.digits)
    digit_height = min(height * counter.digit_share, room * 1.55)
    for index, digit in enumerate(counter.digits):
        corner = (0.05 * width + (index + 0.12) * room, height * 0.56 - digit_height / 2)
        size = (room * 0.62, digit_height)
        _draw_digit(glass, digit, corner=corner, size=size, counter=counter)
    if counter.decimals:
        _draw_point(glass, counter, room, bottom=height * 0.56 + digit_height / 2)
    _draw_labels(glass, counter.figure, rng)
    sheet.image.paste(glass, (left, top))


def _glass(rng: np.random.Generator, size: tuple[int, int], ground: Colour) -> Image.Image:
    """Uneven, with the shadow of its frame along two edges."""
    shape = (size[1], size[0])
    shade = 1.0 + 0.06 * clouds(rng, shape, cell=max(size) / 2, octaves=2)
    down = np.arange(shape[0], dtype=np.float32)[:, None] / shape[0]
    across = np.arange(shape[1], dtype=np.float32)[None, :] / shape[1]
    shade *= 0.72 + 0.28 * smooth(down, 0.0, 0.14)
    shade *= 0.8 + 0.2 * smooth(across, 0.0, 0.03)
    return picture(tinted(shade, ground))


def _draw_digit(
    glass: Image.Image,
    digit: str,
    *,
    corner: tuple[float, float],
    size: tuple[float, float],
    counter: Counter,
) -> None:
    draw = ImageDraw.Draw(glass)
    ghost = _mixed(counter.ground, counter.figure, GHOST)
    thick = size[1] * counter.hand.weight * 0.55
    for segment, ((x0, y0), (x1, y1)) in ENDS.items():
        colour = counter.figure if segment in LIT[digit] else ghost
        lean = counter.hand.slant * size[1]
        start = (corner[0] + x0 * size[0] + lean * (1 - y0 / 2), corner[1] + y0 * size[1] / 2)
        end = (corner[0] + x1 * size[0] + lean * (1 - y1 / 2), corner[1] + y1 * size[1] / 2)
        draw.polygon(_segment(start, end, thick), fill=ink(colour))


def _segment(
    start: tuple[float, float], end: tuple[float, float], thick: float
) -> list[tuple[float, float]]:
    """A bar with pointed ends, a little short of both joints."""
    along = np.array(end) - np.array(start)
    length = max(float(np.hypot(*along)), 1e-6)
    along /= length
    aside = np.array([-along[1], along[0]]) * thick / 2
    first = np.array(start) + along * thick * 0.12
    last = np.array(end) - along * thick * 0.12
    inner_first, inner_last = first + along * thick / 2, last - along * thick / 2
    corners = [first, inner_first + aside, inner_last + aside, last, inner_last - aside,
               inner_first - aside]  # fmt: skip
    return [(float(x), float(y)) for x, y in corners]


def _draw_point(glass: Image.Image, counter: Counter, room: float, *, bottom: float) -> None:
    x = 0.05 * glass.width + (len(counter.whole) + 0.02) * room
    radius = max(room * 0.07, 0.8)
    span = (x - radius, bottom - 2 * radius, x + radius, bottom)
    ImageDraw.Draw(glass).ellipse(span, fill=ink(counter.figure))


def _draw_labels(glass: Image.Image, figure: Colour, rng: np.random.Generator) -> None:
    """Small marks above the digits: a register's code, a unit, arrows."""
    cap = glass.height * 0.1
    marks = ("1.8.0", "T1", "kWh", "L1 L2 L3", "kvarh", "->")
    if cap < 3:
        return
    for place, text in enumerate(rng.choice(marks, int(rng.integers(1, 4)), replace=False)):
        mark = letters(str(text), cap, hand=Hand(0.9, 0.08))
        glass.paste(
            ink(figure), (round(glass.width * (0.06 + 0.3 * place)), round(cap * 0.5)), mark
        )


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue
