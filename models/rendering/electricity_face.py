"""What is printed and set on an electricity meter's front."""

from __future__ import annotations

import numpy as np

from models.rendering.counter import Counter, Display
from models.rendering.dials import draw_screw
from models.rendering.lettering import Hand, hand_of
from models.rendering.materials import Colour, varied
from models.rendering.nameplate import (
    POWER_LINES,
    draw_approval,
    draw_barcode,
    draw_logo,
    maker,
    script_of,
    serial,
    write_lines,
)
from models.rendering.sheet import Sheet, Span


def print_plate(
    sheet: Sheet, counter: Counter, span: Span, rng: np.random.Generator, dark: Colour
) -> None:
    left, top, right, bottom = span
    half = counter.last_height / 2 + 0.08
    cap = float(rng.uniform(0.035, 0.05))
    script = script_of(rng)
    name = maker(rng, script)
    if -half - top > 0.12:
        accent = dark if rng.random() < 0.5 else (0.1, 0.25, 0.6)
        place = (left + 0.08, top + (-half - top) / 2)
        sheet.write(name, place, cap=0.075, colour=accent, hand=hand_of(rng), script=script)
        draw_approval(sheet, (right - 0.15, place[1]), 0.1, rng, dark)
    sheet.write("kWh", (0.5 - 0.12, half), cap=0.05, colour=dark, hand=Hand(0.9, 0.06))
    room = bottom - half
    if room < 0.2:
        return
    count = min(int(room / (cap * 2.2)), 6)
    write_lines(
        sheet, (left + 0.07, half + 0.09), rng, lines=POWER_LINES, cap=cap, count=count, colour=dark
    )
    if rng.random() < 0.6 and room > 0.35:
        draw_barcode(sheet, (right - 0.6, bottom - 0.2, right - 0.1, bottom - 0.1), rng, dark)
    if counter.display is Display.DRUMS and room > 0.3:
        _draw_disc_slot(sheet, (left + right) / 2, half + room * 0.45)
    elif room > 0.25:
        _draw_lamps(sheet, right, half + 0.12, rng)
    number = serial(rng)
    sheet.write(number, (left + 0.08, bottom - 0.06), cap=cap, colour=dark, hand=hand_of(rng))
    if rng.random() < 0.3:
        draw_logo(sheet, (right - 0.2, half + room * 0.4), 0.14, rng, dark)


def _draw_disc_slot(sheet: Sheet, x: float, y: float) -> None:
    """The turning aluminium disc, seen edge on through its slot."""
    sheet.rectangle((x - 0.36, y - 0.05, x + 0.36, y + 0.05), (0.12, 0.12, 0.12), radius=0.01)
    sheet.rectangle((x - 0.34, y - 0.015, x + 0.34, y + 0.02), (0.78, 0.78, 0.76))
    sheet.rectangle((x + 0.1, y - 0.015, x + 0.16, y + 0.02), (0.75, 0.1, 0.1))


def _draw_lamps(sheet: Sheet, right: float, y: float, rng: np.random.Generator) -> None:
    """A pulse lamp or two and a button."""
    for step in range(int(rng.integers(1, 3))):
        spot = (right - 0.12 - 0.14 * step, y)
        sheet.disc(spot, 0.035, (0.3, 0.28, 0.28))
        sheet.disc(spot, 0.026, (0.85, 0.15, 0.12) if rng.random() < 0.7 else (0.5, 0.2, 0.18))
    if rng.random() < 0.5:
        spot = (right - 0.45, y)
        sheet.disc(spot, 0.06, (0.35, 0.35, 0.36))
        sheet.disc((spot[0] - 0.004, spot[1] - 0.006), 0.05, varied(rng, (0.25, 0.4, 0.65), 0.15))


def draw_terminal_cover(sheet: Sheet, box: Span, span: Span, rng: np.random.Generator) -> None:
    """Screws on the cover below the plate."""
    left, _, right, bottom = box
    y = (span[3] + bottom) / 2 + 0.05
    if bottom - span[3] < 0.25:
        return
    for share in (0.15, 0.85):
        draw_screw(sheet, (left + (right - left) * share, y), 0.05, rng)
