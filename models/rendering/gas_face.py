"""What is printed on a gas meter's plate, and the band that its drums stand in."""

from __future__ import annotations

import numpy as np

from models.rendering.counter import RED, Counter
from models.rendering.lettering import Hand, hand_of
from models.rendering.materials import Colour, varied
from models.rendering.nameplate import (
    GAS_LINES,
    draw_approval,
    draw_barcode,
    draw_logo,
    maker,
    script_of,
    serial,
    write_lines,
)
from models.rendering.sheet import Sheet, Span


def draw_band(sheet: Sheet, counter: Counter, room: Span, rng: np.random.Generator) -> None:
    """The dark band that the drums stand in, and the red field or frame of the decimals."""
    half = counter.last_height / 2
    pad = float(rng.uniform(0.012, 0.05))
    dark: Colour = (0.07, 0.07, 0.08)
    wide = rng.random() < 0.45
    band = (room[0], -half - pad, room[2], half + pad) if wide else (
        -0.5 - pad * 3, -half - pad, 0.5 + pad * float(rng.uniform(1, 5)), half + pad
    )  # fmt: skip
    sheet.rectangle(band, dark)
    split = 0.5 - counter.pitch * len(counter.decimals)
    if counter.decimals and rng.random() < 0.75:
        sheet.rectangle((split, -half - pad, 0.5 + pad, half + pad), varied(rng, RED))
    unit_colour: Colour = (0.9, 0.9, 0.9) if wide else (0.1, 0.1, 0.1)
    x = 0.5 + pad * 2 if wide else min(band[2] + 0.02, room[2] - 0.1)
    sheet.write("m³", (x + 0.02, 0.0), cap=0.06, colour=unit_colour, hand=Hand(0.9, 0.08))


def print_plate(sheet: Sheet, counter: Counter, room: Span, rng: np.random.Generator) -> None:
    """Maker and values above and below the counter, wherever there is room."""
    left, top, right, bottom = room
    half = counter.last_height / 2 + 0.06
    dark = varied(rng, (0.14, 0.14, 0.15), 0.03)
    above, below = -half - top, bottom - half
    if above > 0.12:
        _print_strip(sheet, (left, top, right, -half), rng, dark)
    if below > 0.12:
        _print_strip(sheet, (left, half, right, bottom), rng, dark)


def _print_strip(sheet: Sheet, strip: Span, rng: np.random.Generator, dark: Colour) -> None:
    left, top, right, bottom = strip
    room = bottom - top
    cap = min(0.05, room * 0.12) * float(rng.uniform(0.75, 1.1))
    y = top + room * 0.2
    if rng.random() < 0.8:
        script = script_of(rng)
        sheet.write(
            maker(rng, script), ((left + right) / 2, y), cap=cap * float(rng.uniform(1.3, 2.0)),
            colour=dark, hand=hand_of(rng), script=script, centred=True,
        )  # fmt: skip
    count = max(int((room * 0.7) / (cap * 1.9)), 1)
    for x in (left + 0.06, left + 0.6 * (right - left)):
        write_lines(
            sheet,
            (x, y + cap * 2.6),
            rng,
            lines=GAS_LINES,
            cap=cap,
            count=min(count - 1, 5),
            colour=dark,
        )
    if rng.random() < 0.3 and room > 0.25:
        middle = (left + right) / 2
        draw_barcode(sheet, (middle - 0.2, bottom - 0.14, middle + 0.2, bottom - 0.06), rng, dark)
    else:
        number = serial(rng)
        place = ((left + right) / 2, bottom - cap * 1.2)
        sheet.write(number, place, cap=cap * 1.3, colour=dark, hand=hand_of(rng), centred=True)
    if rng.random() < 0.6:
        draw_approval(sheet, (right - 0.14, bottom - room * 0.3), min(0.14, room * 0.4), rng, dark)
    if rng.random() < 0.4:
        draw_logo(sheet, (left + 0.12, top + room * 0.22), min(0.14, room * 0.35), rng, dark)
