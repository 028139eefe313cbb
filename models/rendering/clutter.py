"""Things that are no meters but could be taken for one: gauges, boxes, labels with numbers."""

from __future__ import annotations

import numpy as np
from PIL import Image

from models.rendering.camera import Panel, Part, Wall, rectangle
from models.rendering.dials import draw_pointer_dial, draw_screw
from models.rendering.lettering import Hand, hand_of
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
from models.rendering.sheet import Sheet

BOXES: tuple[Colour, ...] = (
    (0.82, 0.82, 0.8),
    (0.5, 0.52, 0.54),
    (0.2, 0.2, 0.21),
    (0.7, 0.68, 0.6),
)


def clutter_parts(
    rng: np.random.Generator, *, scale: float, light: tuple[float, float]
) -> list[Part]:
    """One such thing, about one unit large, around the origin."""
    match int(rng.integers(3)):
        case 0:
            return _gauge(rng, scale, light)
        case 1:
            return _junction_box(rng, scale, light)
        case _:
            return _label(rng, scale)


def _gauge(rng: np.random.Generator, scale: float, light: tuple[float, float]) -> list[Part]:
    """A round pressure gauge with one hand."""
    side = max(round(scale), 24)
    across = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
    distance = np.hypot(across[None, :], across[:, None])
    sheet = Sheet(Image.new("RGB", (side, side), (228, 228, 222)), side, (-0.5, -0.5))
    draw_pointer_dial(sheet, (0.0, 0.0), 0.27, rng, print_colour=(0.1, 0.1, 0.1))
    sheet.write("bar", (0.0, -0.14), cap=0.04, colour=(0.1, 0.1, 0.1), hand=Hand(), centred=True)
    bulge = smooth(distance, 0.4, 0.45) - smooth(distance, 0.45, 0.5)
    ring = tinted(0.8 + relief(bulge * 0.06 * scale, light), varied(rng, (0.4, 0.4, 0.42), 0.15))
    face = np.asarray(sheet.image, dtype=np.float32) / 255.0
    outside = grey(smooth(distance, 0.405, 0.415))
    texture = picture(face * (1 - outside) + ring * outside, smooth(distance, 0.5, 0.5 - 2 / scale))
    return [Panel(texture, rectangle(-0.5, -0.5, 0.5, 0.5))]


def _junction_box(rng: np.random.Generator, scale: float, light: tuple[float, float]) -> list[Part]:
    """A closed box with screws and a name: a case without a counter."""
    width, height = float(rng.uniform(0.7, 1.3)), float(rng.uniform(0.5, 1.1))
    shape = (max(round(height * scale), 16), max(round(width * scale), 16))
    colour = varied(rng, BOXES[int(rng.integers(len(BOXES)))])
    outer = rounded_box(shape, inset=1.0, radius=0.06 * scale)
    rim = rounded_box(shape, inset=0.1 * scale, radius=0.04 * scale)
    bulge: Field = smooth(outer, 0.0, -0.04 * scale) + 0.5 * smooth(rim, 0.01 * scale, 0.0)
    shade = 0.92 + relief(0.03 * scale * bulge, light) + 0.03 * clouds(rng, shape, cell=scale / 3)
    sheet = Sheet(picture(tinted(shade, colour)), scale, (-width / 2, -height / 2))
    for x in (-width / 2 + 0.06, width / 2 - 0.06):
        for y in (-height / 2 + 0.06, height / 2 - 0.06):
            draw_screw(sheet, (x, y), 0.028, rng)
    script = script_of(rng)
    sheet.write(
        maker(rng, script), (0.0, -0.1), cap=0.06, colour=(0.2, 0.2, 0.25), hand=hand_of(rng),
        script=script, centred=True,
    )  # fmt: skip
    draw_logo(sheet, (0.0, 0.06), 0.1, rng, (0.5, 0.1, 0.1))
    colours = np.asarray(sheet.image, dtype=np.float32) / 255.0
    colours = worn(rng, colours, amount=float(rng.uniform(0, 0.4)), stain=(0.35, 0.3, 0.25))
    face = rectangle(-width / 2, -height / 2, width / 2, height / 2)
    return [Wall(face, 0.2, colour), Panel(picture(colours, smooth(outer, 0.0, -1.5)), face)]


def _label(rng: np.random.Generator, scale: float) -> list[Part]:
    """A sticker with a barcode, numbers and lines."""
    width, height = float(rng.uniform(0.6, 1.1)), float(rng.uniform(0.35, 0.7))
    shape = (max(round(height * scale), 16), max(round(width * scale), 16))
    paper = varied(rng, (0.88, 0.88, 0.84) if rng.random() < 0.7 else (0.9, 0.82, 0.2), 0.04)
    shade = 1.0 + 0.06 * clouds(rng, shape, cell=max(shape) / 2) + grain(rng, shape, 0.01)
    sheet = Sheet(picture(tinted(shade, paper)), scale, (-width / 2, -height / 2))
    dark: Colour = (0.1, 0.1, 0.12)
    bars = (-width * 0.4, -height * 0.35, width * 0.2, -height * 0.1)
    draw_barcode(sheet, bars, rng, dark)
    place = (-width * 0.4, height * 0.12)
    sheet.write(serial(rng), place, cap=0.07, colour=dark, hand=hand_of(rng))
    write_lines(
        sheet, (-width * 0.4, height * 0.28), rng, lines=POWER_LINES, cap=0.03, count=2, colour=dark
    )
    draw_approval(sheet, (width * 0.36, -height * 0.2), 0.1, rng, dark)
    clear = rounded_box(shape, inset=1.0, radius=2.0)
    colours = np.asarray(sheet.image, dtype=np.float32) / 255.0
    texture = picture(colours, smooth(clear, 0.0, -1.5))
    return [Panel(texture, rectangle(-width / 2, -height / 2, width / 2, height / 2))]
