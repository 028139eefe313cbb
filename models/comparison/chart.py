"""The chart: quality against time, one numbered point a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 640)
LEFT, TOP, RIGHT, BOTTOM = 80, 56, 690, 560
"""Of the field that the points lie in; to its right stands what the numbers mean."""
LINE_PX = 24
RADIUS, DOT = 10, 4
"""Of the disc that a number stands in, and of the point itself."""
PAPER, INK, PALE, GRID = (255, 255, 255), (25, 25, 25), (110, 110, 110), (226, 226, 226)
NETWORK = (0, 95, 170)
STEPS = (1.0, 2.0, 5.0)
"""Of each power of ten, where the axis of time has a line."""


class Point(NamedTuple):
    name: str
    ms: float
    dice: float
    """0..1."""


class Axis(NamedTuple):
    """From `low` at the pixel `start` to `high` at `end`."""

    low: float
    high: float
    start: int
    end: int

    def pixel(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def chart(points: Sequence[Point], *, on: str) -> Image.Image:
    """Milliseconds on a logarithmic axis; `on` says which photos the Dice coefficient is of."""
    height = max(SIZE[1], TOP + 60 + LINE_PX * len(points))
    sheet = Image.new("RGB", (SIZE[0], height), PAPER)
    write = ImageDraw.Draw(sheet)
    times, quality = _axis_of_times(points), _axis_of_quality(points)
    _draw_axes(write, times, quality, on=on)
    places = [(times.pixel(math.log10(one.ms)), quality.pixel(100 * one.dice)) for one in points]
    taken = list(places)
    for number, (point, (x, y)) in enumerate(zip(points, places, strict=True), start=1):
        taken.append(_free_place((x, y), taken))
        write.line((x, y, *taken[-1]), NETWORK)
        write.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), NETWORK)
        _draw_number(write, taken[-1], number)
        row = TOP + LINE_PX * number - LINE_PX / 2
        _draw_number(write, (RIGHT + 40, row), number)
        said = f"{point.name}: {100 * point.dice:.1f} %, {point.ms:.1f} ms"
        write.text((RIGHT + 60, row), said, INK, _font(16), anchor="lm")
    return sheet


def _axis_of_times(points: Sequence[Point]) -> Axis:
    powers = [math.log10(point.ms) for point in points]
    return Axis(min(powers) - 0.15, max(powers) + 0.15, LEFT, RIGHT)


def _axis_of_quality(points: Sequence[Point]) -> Axis:
    """In per cent, from a multiple of five to a multiple of five with all points between."""
    low = 5 * math.floor(20 * min(point.dice for point in points) - 0.2)
    high = 5 * math.ceil(20 * max(point.dice for point in points) + 0.2)
    return Axis(max(low, 0), min(high, 100), BOTTOM, TOP)


def _draw_axes(write: ImageDraw.ImageDraw, times: Axis, quality: Axis, *, on: str) -> None:
    write.text((LEFT, 14), f"Dice on {on}, in %", INK, _font(17))
    write.text(((LEFT + RIGHT) / 2, BOTTOM + 40), "ms a photo, one thread", INK, _font(17), "ma")
    write.rectangle((LEFT, TOP, RIGHT, BOTTOM), outline=GRID)
    step = 5 if quality.high - quality.low <= 40 else 20
    for percent in range(step * math.ceil(quality.low / step), round(quality.high) + 1, step):
        y = quality.pixel(percent)
        write.line((LEFT, y, RIGHT, y), GRID)
        write.text((LEFT - 10, y), str(percent), PALE, _font(15), "rm")
    for ms in _round_times(times):
        x = times.pixel(math.log10(ms))
        write.line((x, TOP, x, BOTTOM), GRID)
        write.text((x, BOTTOM + 10), f"{ms:g}", PALE, _font(15), "ma")


def _round_times(times: Axis) -> list[float]:
    powers = range(math.floor(times.low), math.ceil(times.high) + 1)
    every = [step * 10.0**power for power in powers for step in STEPS]
    return [ms for ms in every if times.low <= math.log10(ms) <= times.high]


def _draw_number(write: ImageDraw.ImageDraw, at: tuple[float, float], number: int) -> None:
    x, y = at
    write.ellipse((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS), NETWORK, PAPER)
    write.text(at, str(number), PAPER, _font(13), anchor="mm")


def _free_place(
    at: tuple[float, float], taken: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Near `at`, clear of other points and numbers; the last tried where it is too crowded."""
    place = at
    for step in range(10, 400):  # a spiral that fills the plane evenly
        angle, distance = 2.4 * step, 6.0 * math.sqrt(step)
        place = at[0] + distance * math.cos(angle), at[1] + distance * math.sin(angle)
        if all(math.dist(place, other) >= 2 * RADIUS for other in taken):
            break
    return place


def _font(px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(px)
