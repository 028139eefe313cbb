"""Electricity meters: a moulded box with a glass or drums and a terminal cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from models.rendering.camera import Panel, Part, Points, Wall, rectangle, rounded_rectangle
from models.rendering.counter import Counter, Display, drum_counter, lcd_counter
from models.rendering.drums import draw_drums
from models.rendering.electricity_face import draw_terminal_cover, print_plate
from models.rendering.glass import glazed
from models.rendering.lcd import draw_lcd
from models.rendering.materials import (
    Colour,
    Field,
    clouds,
    grain,
    grey,
    picture,
    relief,
    rounded_box,
    smooth,
    tinted,
    varied,
    worn,
)
from models.rendering.sheet import Sheet, Span

CASES: tuple[Colour, ...] = (
    (0.82, 0.82, 0.8), (0.7, 0.71, 0.7), (0.12, 0.12, 0.13), (0.76, 0.72, 0.62), (0.86, 0.87, 0.88),
)  # fmt: skip

BOARDS: tuple[Colour, ...] = ((0.5, 0.36, 0.22), (0.7, 0.7, 0.68), (0.3, 0.31, 0.32))

CASE_RADIUS = 0.08


@dataclass(frozen=True, slots=True)
class ElectricityMeter:
    counter: Counter
    box: Span

    @property
    def aim(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @property
    def outline(self) -> Points:
        """The case, clockwise (24, 3)."""
        return rounded_rectangle(*self.box, radius=CASE_RADIUS)

    def behind(self, rng: np.random.Generator, *, scale: float) -> list[Panel]:
        """The board that it is screwed to, sometimes."""
        if rng.random() < 0.5:
            return []
        left, top, right, bottom = self.box
        colour = varied(rng, BOARDS[int(rng.integers(len(BOARDS)))])
        shape = (max(round((bottom - top + 0.6) * min(scale, 80)), 8),) * 2
        shade = 1.0 + 0.08 * clouds(rng, shape, cell=shape[0] / 2)
        board = picture(tinted(shade, colour), np.ones(shape, dtype=np.float32))
        return [Panel(board, rectangle(left - 0.3, top - 0.3, right + 0.3, bottom + 0.3, z=-0.8))]

    def parts(
        self, rng: np.random.Generator, *, scale: float, light: tuple[float, float], dirt: float
    ) -> list[Part]:
        """From back to front; `scale` is texture pixels a unit."""
        case = varied(rng, CASES[int(rng.integers(len(CASES)))])
        front = self._front(rng, case, scale=scale, light=light, dirt=dirt)
        depth = float(rng.uniform(0.3, 0.8))
        return [Wall(self.outline, depth, case), Panel(front, rectangle(*self.box))]

    def _front(
        self,
        rng: np.random.Generator,
        case: Colour,
        *,
        scale: float,
        light: tuple[float, float],
        dirt: float,
    ) -> Image.Image:
        """The moulded case with its plate let in, the terminal cover below."""
        left, top, right, bottom = self.box
        shape = (max(round((bottom - top) * scale), 16), max(round((right - left) * scale), 16))
        outer = rounded_box(shape, inset=1.0, radius=CASE_RADIUS * scale)
        plate_span = self._plate_span(rng)
        room = _distance_to(shape, plate_span, self.box, scale)
        height = (
            0.05 * scale * (smooth(outer, 0.0, -0.08 * scale) - smooth(room, 0.03 * scale, 0.0))
        )
        cover = np.arange(shape[0], dtype=np.float32) - (plate_span[3] + 0.1 - top) * scale
        height -= (0.03 * scale * smooth(np.abs(cover), 0.03 * scale, 0.01 * scale))[:, None]
        shade = 0.92 + relief(height, light, strength=0.6) + grain(rng, shape, 0.01)
        shade += 0.03 * clouds(rng, shape, cell=scale / 2)
        frame = worn(rng, tinted(shade, case), amount=0.35 * dirt, stain=(0.4, 0.36, 0.3))
        plate = self._plate(rng, frame, plate_span, scale=scale, light=light)
        fall = smooth(room, -0.06 * scale, 0.0) * 0.3
        plate = glazed(rng, plate, light=light, dirt=dirt) * grey(1.0 - fall)
        inside = grey(smooth(room, 0.5, -1.0))
        colours = plate * inside + frame * (1.0 - inside)
        return picture(colours, smooth(outer, 0.0, -1.5))

    def _plate_span(self, rng: np.random.Generator) -> Span:
        left, top, right, bottom = self.box
        edge = float(rng.uniform(0.06, 0.16))
        lower = self.counter.last_height / 2 + 0.12
        lowest = max(lower, top + (bottom - top) * float(rng.uniform(0.55, 0.75)))
        return left + edge, top + edge, right - edge, min(lowest, bottom - 0.2)

    def _plate(
        self,
        rng: np.random.Generator,
        frame: Field,
        span: Span,
        *,
        scale: float,
        light: tuple[float, float],
    ) -> Field:
        sheet = Sheet(picture(frame), scale, self.box[:2])
        dark: Colour = (0.12, 0.12, 0.14)
        ground = varied(rng, (0.84, 0.85, 0.85) if rng.random() < 0.75 else (0.66, 0.7, 0.74))
        sheet.rectangle(span, ground)
        print_plate(sheet, self.counter, span, rng, dark)
        draw_terminal_cover(sheet, self.box, span, rng)
        half = self.counter.last_height / 2
        pad = float(rng.uniform(0.015, 0.06))
        rim = varied(rng, (0.1, 0.1, 0.11) if rng.random() < 0.6 else (0.5, 0.52, 0.53))
        sheet.rectangle((-0.5 - pad, -half - pad, 0.5 + pad, half + pad), rim, radius=0.02)
        match self.counter.display:
            case Display.DRUMS:
                draw_drums(sheet, self.counter, rng, light=light)
            case Display.LCD:
                draw_lcd(sheet, self.counter, rng)
        colours: Field = np.asarray(sheet.image, dtype=np.float32) / 255.0
        return colours


def electricity_meter(rng: np.random.Generator) -> ElectricityMeter:
    if rng.random() < 0.65:
        counter = lcd_counter(rng)
    else:
        looks = {"black, red drums": 2.0, "white, red digits": 1.0, "black, red frame": 1.5}
        counter = drum_counter(rng, looks=looks, whole=int(rng.integers(5, 7)), decimals=1)
    width, height = float(rng.uniform(1.35, 2.3)), float(rng.uniform(1.5, 3.0))
    left = -0.5 - (width - 1.0) * float(rng.uniform(0.35, 0.65))
    top = -counter.last_height / 2 - height * float(rng.uniform(0.12, 0.3))
    return ElectricityMeter(counter, (left, top, left + width, top + height))


def _distance_to(shape: tuple[int, int], span: Span, box: Span, scale: float) -> Field:
    """Signed distance in pixels to the rectangle `span`; negative inside."""
    x = np.arange(shape[1], dtype=np.float32) / scale + box[0]
    y = np.arange(shape[0], dtype=np.float32) / scale + box[1]
    across = np.maximum(span[0] - x, x - span[2])[None, :]
    down = np.maximum(span[1] - y, y - span[3])[:, None]
    distance: Field = np.maximum(across, down) * np.float32(scale)
    return distance
