"""What is printed and set on a water meter's face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.rendering.counter import Counter
from models.rendering.dials import draw_pointer_dial, draw_star_wheel
from models.rendering.lettering import Hand, hand_of
from models.rendering.materials import Colour
from models.rendering.nameplate import (
    WATER_LINES,
    draw_approval,
    draw_barcode,
    draw_logo,
    maker,
    script_of,
    serial,
    write_lines,
)
from models.rendering.sheet import Sheet

PRINTS: tuple[Colour, ...] = (
    (0.1, 0.1, 0.12), (0.72, 0.1, 0.12), (0.1, 0.22, 0.6), (0.1, 0.5, 0.25), (0.12, 0.12, 0.13),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Face:
    """A round plate; `middle` is its centre seen from the counter's, in counter widths."""

    counter: Counter
    radius: float
    middle: tuple[float, float]


def draw_surround(sheet: Sheet, counter: Counter, rng: np.random.Generator) -> None:
    """What frames the windows: nothing, a line, a painted field, a step into the plate."""
    half = counter.last_height / 2
    pad = float(rng.uniform(0.015, 0.06))
    span = (-0.5 - pad, -half - pad, 0.5 + pad, half + pad)
    chance = rng.random()
    if chance < 0.3:
        colour: Colour = PRINTS[int(rng.integers(len(PRINTS)))]
        sheet.rectangle(span, colour, radius=0.02)
    elif chance < 0.65:
        sheet.frame(span, (0.35, 0.35, 0.35), pen=0.008)
    thin = 0.008
    edge = (-0.5 - thin, -counter.height / 2 - thin, 0.5 + thin, counter.height / 2 + thin)
    sheet.rectangle(edge, (0.3, 0.3, 0.3))


def print_face(sheet: Sheet, face: Face, rng: np.random.Generator, *, black: bool) -> None:
    """Maker, rated values, wheels and dials in the two halves that the counter leaves."""
    x, y = face.middle
    radius = face.radius
    dark: Colour = (0.9, 0.9, 0.88) if black else (0.12, 0.12, 0.13)
    accent = dark if black else PRINTS[int(rng.integers(len(PRINTS)))]
    down = 1.0 if y >= 0.0 else -1.0
    if rng.random() < 0.2:
        _draw_stripes(sheet, face, rng, accent)
    _write_maker(sheet, face, rng, accent, down)
    half = face.counter.last_height / 2
    unit = (0.5 + 0.03, half + 0.03) if rng.random() < 0.5 else (0.42, half + 0.1)
    sheet.write("m³", unit, cap=0.055, colour=dark, hand=Hand(0.9, 0.05))
    wheel = (x + float(rng.normal(0, 0.08)), y + down * radius * float(rng.uniform(-0.02, 0.15)))
    if abs(wheel[1]) > half + 0.16:
        draw_star_wheel(sheet, wheel, radius * float(rng.uniform(0.1, 0.17)), rng)
    dial_radius = radius * float(rng.uniform(0.12, 0.19))
    dial = (x + radius * float(rng.uniform(0.38, 0.5)), y + down * radius * 0.36)
    if abs(dial[1]) > half + 2 * dial_radius:
        draw_pointer_dial(sheet, dial, dial_radius, rng, print_colour=dark)
    _write_values(sheet, face, rng, dark, down)


def _write_maker(
    sheet: Sheet, face: Face, rng: np.random.Generator, accent: Colour, down: float
) -> None:
    """Maker and number between the counter and the near edge of the face."""
    x, y = face.middle
    dark: Colour = (0.13, 0.13, 0.14)
    edge = y - down * face.radius
    start = -down * face.counter.last_height / 2
    room = abs(edge - start)
    script = script_of(rng)
    cap = min(0.13, room * 0.24) * float(rng.uniform(0.7, 1.0))
    middle = start + (edge - start) * 0.34
    if rng.random() < 0.65:
        name = maker(rng, script)
        sheet.write(
            name,
            (x, middle),
            cap=cap,
            colour=accent,
            hand=hand_of(rng),
            script=script,
            centred=True,
        )
    further = start + (edge - start) * 0.66
    if rng.random() < 0.35 and room > 0.25:
        draw_barcode(sheet, (x - 0.2, further - 0.05, x + 0.2, further + 0.03), rng, dark)
    else:
        number = serial(rng)
        sheet.write(number, (x, further), cap=0.06, colour=dark, hand=hand_of(rng), centred=True)


def _write_values(
    sheet: Sheet, face: Face, rng: np.random.Generator, dark: Colour, down: float
) -> None:
    """Rated values on the left, marks and a second name at the far edge."""
    x, y = face.middle
    radius = face.radius
    cap = radius * float(rng.uniform(0.04, 0.058))
    top = y + down * radius * 0.3 - (0.0 if down > 0 else cap * 8)
    write_lines(
        sheet, (x - radius * 0.66, top), rng, lines=WATER_LINES, cap=cap,
        count=int(rng.integers(3, 6)), colour=dark,
    )  # fmt: skip
    mark = (x + float(rng.uniform(-0.15, 0.15)), y + down * radius * 0.74)
    draw_approval(sheet, mark, radius * 0.14, rng, dark)
    if rng.random() < 0.5:
        logo = (x - radius * 0.62, y + down * radius * 0.12)
        if abs(logo[1]) > face.counter.last_height / 2 + 0.12:
            draw_logo(sheet, logo, radius * 0.2, rng, PRINTS[int(rng.integers(len(PRINTS)))])


def _draw_stripes(sheet: Sheet, face: Face, rng: np.random.Generator, accent: Colour) -> None:
    """A coloured field across the lower face, upright or leaning."""
    x, y = face.middle
    lean = float(rng.choice((0.0, 0.3, -0.3)))
    width = face.radius * float(rng.uniform(0.08, 0.3))
    for step in range(int(rng.integers(1, 4))):
        left = x + (step - 0.5) * width * 1.6
        corners = [(left, y + 0.2), (left + width, y + 0.2), (left + width + lean, y + 1.2),
                   (left + lean, y + 1.2)]  # fmt: skip
        sheet.polygon(corners, accent)
