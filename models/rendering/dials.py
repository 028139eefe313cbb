"""Small round things on a meter's face: pointers over scales, star wheels, screws, seals."""

from __future__ import annotations

import numpy as np

from models.rendering.lettering import Hand, hand_of
from models.rendering.materials import Colour
from models.rendering.sheet import Sheet, around

Point = tuple[float, float]


def draw_pointer_dial(
    sheet: Sheet, centre: Point, radius: float, rng: np.random.Generator, *, print_colour: Colour
) -> None:
    """A scale of ten with a red or black hand."""
    red: Colour = (0.8, 0.12, 0.1)
    hand_colour = red if rng.random() < 0.8 else (0.1, 0.1, 0.1)
    if rng.random() < 0.3:
        sheet.disc(centre, radius * 1.1, (0.07, 0.07, 0.07))
        print_colour = (0.92, 0.92, 0.9)
    elif rng.random() < 0.4:
        sheet.ring(centre, radius * 1.05, print_colour, pen=0.008)
    hand = Hand(0.85, 0.05)
    for step in range(10):
        angle = -np.pi / 2 + step * np.pi / 5
        inner, outer = around(centre, radius * 0.82, angle), around(centre, radius, angle)
        sheet.line([inner, outer], print_colour, pen=radius * 0.05)
        spot = around(centre, radius * 1.28, angle)
        sheet.write(
            str(step), spot, cap=radius * 0.25, colour=print_colour, hand=hand, centred=True
        )
    _draw_hand(sheet, centre, radius, float(rng.uniform(0, 2 * np.pi)), hand_colour)
    multiple = str(rng.choice(("x0,0001", "x0.001", "x0,01", "x0.1")))
    below = (centre[0], centre[1] + radius * 1.75)
    sheet.write(
        multiple, below, cap=radius * 0.28, colour=hand_colour, hand=hand_of(rng), centred=True
    )


def _draw_hand(sheet: Sheet, centre: Point, radius: float, angle: float, colour: Colour) -> None:
    shadow = (centre[0] + radius * 0.08, centre[1] + radius * 0.12)
    for middle, tint in ((shadow, (0.35, 0.34, 0.33)), (centre, colour)):
        tip = around(middle, radius * 0.9, angle)
        sides = [around(middle, radius * 0.22, angle + turn) for turn in (1.3, -1.3)]
        sheet.polygon([tip, *sides], tint)
        sheet.disc(middle, radius * 0.27, tint)
    red, green, blue = colour
    sheet.disc(centre, radius * 0.1, (red * 0.6, green * 0.6, blue * 0.6))


def draw_star_wheel(sheet: Sheet, centre: Point, radius: float, rng: np.random.Generator) -> None:
    """The little wheel that shows flow: teeth round a hub, in a dark or bright hole."""
    dark = rng.random() < 0.75
    wheel: Colour = (0.07, 0.07, 0.07) if dark else (0.78, 0.14, 0.12)
    sheet.disc(
        centre, radius * 1.06, (0.45, 0.44, 0.42) if rng.random() < 0.5 else (0.8, 0.8, 0.78)
    )
    teeth = int(rng.choice((5, 6, 8, 12)))
    start = float(rng.uniform(0, np.pi))
    waist = 0.45 if teeth <= 6 else 0.72
    outline: list[Point] = []
    for step in range(teeth * 4):
        reach = radius if step % 4 < 2 else radius * waist
        outline.append(around(centre, reach, start + (step - 0.5) * np.pi / (2 * teeth)))
    sheet.polygon(outline, wheel)
    sheet.disc(centre, radius * 0.25, (0.32, 0.31, 0.3))
    glint = (centre[0] - radius * 0.12, centre[1] - radius * 0.12)
    sheet.disc(glint, radius * 0.09, (0.72, 0.72, 0.72))


def draw_screw(sheet: Sheet, centre: Point, radius: float, rng: np.random.Generator) -> None:
    """A slotted or crossed head in its hole."""
    x, y = centre
    sheet.disc((x, y + radius * 0.12), radius * 1.2, (0.25, 0.24, 0.23))
    sheet.disc(centre, radius, (0.62, 0.61, 0.58))
    sheet.disc((x - radius * 0.15, y - radius * 0.2), radius * 0.62, (0.74, 0.73, 0.7))
    angle = float(rng.uniform(0, np.pi))
    for turn in (0.0, np.pi / 2) if rng.random() < 0.6 else (0.0,):
        slot = [around(centre, radius * 0.75, angle + turn + end) for end in (0.0, np.pi)]
        sheet.line(slot, (0.2, 0.19, 0.18), pen=radius * 0.24)
