"""Words and marks that stand on meters: invented makers, rated values, numbers, approval marks."""

from __future__ import annotations

import numpy as np

from models.rendering.lettering import Script, barcode, hand_of
from models.rendering.materials import Colour
from models.rendering.sheet import Sheet, Span, around

MAKERS = {
    Script.LATIN: ("VELTA", "Norment", "AQUILO", "Hydris", "KORVAN", "TESSIO", "Lumetra", "OSTRA"),
    Script.TURNED: ("HOPMATEK", "AKBATOPnr", "BEKTOP", "METPnKA", "CTAvKOH", "TEPMOC", "vAMBvA"),
    Script.HAN: ("水表电力", "山川计量", "东河仪表", "北辰水务"),
}
WATER_LINES = (
    "Qn 1,5 m³/h", "90°C  PN16", "Q3 2,5  R80", "1 MPa", "A-V  B-H", "T30  MAP16", "DN15", "IP68",
    "Qmin 0,03 m³/h", "UNIVERSAL", "R160 H", "LEN 110 mm", "K = 12,5 l/imp", "50°C",
)  # fmt: skip
GAS_LINES = (
    "Qmax 6 m³/h", "Qmin 0,04 m³/h", "V 1,2 dm³", "pmax 0,5 bar", "1 imp = 0,01 m³", "G4",
    "tm -25 ... +55 °C", "EN 1359:1998", "CLASS 1,5", "M 0071", "G 1.6", "V 2,0 dm³",
)  # fmt: skip
POWER_LINES = (
    "230 V  50 Hz", "5(60) A", "Cl. 1", "1000 imp/kWh", "3x230/400 V", "EN 62053-21", "IP54",
    "10-40 A", "600 rev/kWh", "-40 ... +70 °C", "RS485", "1 Phase 2W",
)  # fmt: skip
TURNED_LINES = ("MAKC 1,5", "MnH 0,03", "KvACC B", "X0,001", "TEMn 90", "PECYPC 12", "BOvA X/l")


def script_of(rng: np.random.Generator) -> Script:
    return Script(str(rng.choice(list(Script), p=[0.55, 0.33, 0.12])))


def maker(rng: np.random.Generator, script: Script) -> str:
    return str(rng.choice(MAKERS[script]))


def serial(rng: np.random.Generator) -> str:
    """A serial number as plates carry them."""
    number = int(rng.integers(10**6, 10**8))
    form = ("{}", "No {}", "{:08d}", "{}-13", "SN {}", "20{}")[int(rng.integers(6))]
    return form.format(number)


def write_lines(
    sheet: Sheet,
    at: tuple[float, float],
    rng: np.random.Generator,
    *,
    lines: tuple[str, ...],
    cap: float,
    count: int,
    colour: Colour,
) -> None:
    """`count` of the lines below each other from `at` down."""
    hand = hand_of(rng)
    turned = rng.random() < 0.25
    pool = TURNED_LINES if turned else lines
    chosen = rng.choice(pool, min(count, len(pool)), replace=False)
    script = Script.TURNED if turned else Script.LATIN
    for index, line in enumerate(chosen):
        place = (at[0], at[1] + index * cap * 1.9)
        sheet.write(str(line), place, cap=cap, colour=colour, hand=hand, script=script)


def draw_barcode(sheet: Sheet, span: Span, rng: np.random.Generator, colour: Colour) -> None:
    """On a white field, with its number below."""
    left, top, right, bottom = span
    pad = 0.08 * (bottom - top)
    sheet.rectangle((left - pad, top - pad, right + pad, bottom + pad * 4), (0.93, 0.93, 0.92))
    x0, y0, x1, y1 = sheet.pixels(span)
    bars = barcode(rng, (round(x1 - x0), round(y1 - y0)))
    sheet.stamp(bars, (left, (top + bottom) / 2), colour, centred=False)


def draw_approval(
    sheet: Sheet, at: tuple[float, float], size: float, rng: np.random.Generator, colour: Colour
) -> None:
    """A ring, a box or a pentagon with a letter or two."""
    text = str(rng.choice(("PC", "M18", "CE", "R", "EAC", "Z1", "A")))
    pen = size * 0.08
    match int(rng.integers(3)):
        case 0:
            sheet.ring(at, size / 2, colour, pen=pen)
        case 1:
            half = size / 2
            span = (at[0] - half * 1.3, at[1] - half, at[0] + half * 1.3, at[1] + half)
            sheet.frame(span, colour, pen=pen)
        case _:
            angles = -np.pi / 2 + np.arange(6) * 2 * np.pi / 5
            sheet.line([around(at, size / 2, a) for a in angles], colour, pen=pen)
    sheet.write(text, at, cap=size * 0.3, colour=colour, hand=hand_of(rng), centred=True)


def draw_logo(
    sheet: Sheet, at: tuple[float, float], size: float, rng: np.random.Generator, colour: Colour
) -> None:
    """A simple emblem: stripes, a drop, dots or a hexagon."""
    x, y = at
    match int(rng.integers(4)):
        case 0:
            for row in np.linspace(-0.4, 0.4, 4):
                span = (x - size / 2, y + row * size, x + size / 2, y + (row + 0.12) * size)
                sheet.rectangle(span, colour)
        case 1:
            sheet.disc((x, y + 0.1 * size), 0.35 * size, colour)
            tip = [(x - 0.3 * size, y), (x, y - 0.55 * size), (x + 0.3 * size, y)]
            sheet.polygon(tip, colour)
        case 2:
            for row in range(3):
                for column in range(3):
                    spot = (x + (column - 1) * 0.3 * size, y + (row - 1) * 0.3 * size)
                    sheet.disc(spot, 0.11 * size, colour)
        case _:
            angles = np.arange(6) * np.pi / 3
            sheet.polygon([around(at, size / 2, float(a)) for a in angles], colour)
            sheet.disc(at, size * 0.25, (0.95, 0.95, 0.95))
