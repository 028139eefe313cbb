"""Gas meters: a pressed steel body with a box on it, a plate behind glass, a band of drums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from models.rendering.camera import Panel, Part, Points, Wall, rectangle, rounded_rectangle
from models.rendering.counter import Counter, drum_counter
from models.rendering.dials import draw_screw
from models.rendering.drums import draw_drums
from models.rendering.fittings import Paints, pipe_texture
from models.rendering.gas_face import draw_band, print_plate
from models.rendering.glass import glazed
from models.rendering.materials import (
    RUST,
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

PAINTS: tuple[Colour, ...] = (
    (0.8, 0.8, 0.78), (0.72, 0.72, 0.7), (0.78, 0.75, 0.66), (0.56, 0.62, 0.68), (0.62, 0.63, 0.6),
)  # fmt: skip

GAS_PIPES: Paints = (
    ((0.78, 0.62, 0.12), 0.12), ((0.6, 0.6, 0.58), 0.2), ((0.74, 0.74, 0.72), 0.1), (RUST, 0.04),
)  # fmt: skip
BODY_RADIUS, BODY_Z = 0.3, -0.3
BOX_RADIUS = 0.09


@dataclass(frozen=True, slots=True)
class GasMeter:
    counter: Counter
    box: Span
    """The index box's front, in counter widths round the counter's centre."""
    body: Span

    @property
    def aim(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2 + 0.1

    @property
    def outline(self) -> Points:
        """The body's edge, clockwise (24, 3)."""
        return rounded_rectangle(*self.body, radius=BODY_RADIUS, z=BODY_Z)

    def parts(
        self, rng: np.random.Generator, *, scale: float, light: tuple[float, float], dirt: float
    ) -> list[Part]:
        """From back to front; `scale` is texture pixels a unit."""
        paint = varied(rng, PAINTS[int(rng.integers(len(PAINTS)))])
        depth = float(rng.uniform(0.12, 0.28))
        body = self._body(rng, paint, scale=min(scale, 130.0), light=light, dirt=dirt)
        cover = varied(rng, paint, 0.05)
        front = self._front(rng, cover, scale=scale, light=light, dirt=dirt)
        return [
            Wall(self.outline, 0.5, paint),
            Panel(body, rectangle(*self.body, z=BODY_Z)),
            Wall(rounded_rectangle(*self.box, radius=BOX_RADIUS), depth, cover),
            Panel(front, rectangle(*self.box)),
        ]

    def behind(self, rng: np.random.Generator, *, scale: float) -> list[Panel]:
        """Two on top of the body."""
        left, top, right, _ = self.body
        panels = []
        thick = int(np.clip(0.32 * scale, 12, 60))
        for share in (0.22, 0.78):
            x, radius = left + (right - left) * share, 0.16
            texture = pipe_texture(rng, (thick, 6 * thick), GAS_PIPES).transpose(
                Image.Transpose.ROTATE_90
            )
            panels.append(
                Panel(texture, rectangle(x - radius, top - 7, x + radius, top + 0.1, z=-0.5))
            )
        return panels

    def _body(
        self,
        rng: np.random.Generator,
        paint: Colour,
        *,
        scale: float,
        light: tuple[float, float],
        dirt: float,
    ) -> Image.Image:
        """Two pressed shells with a seam between them, worn and rusty at the edges."""
        left, top, right, bottom = self.body
        shape = (max(round((bottom - top) * scale), 16), max(round((right - left) * scale), 16))
        edge = rounded_box(shape, inset=1.5, radius=BODY_RADIUS * scale)
        height = -(np.maximum(edge + 0.16 * scale, 0.0) ** 2) / (0.2 * scale)
        seam = np.abs(np.arange(shape[0], dtype=np.float32) / shape[0] - rng.uniform(0.55, 0.72))
        height += (0.05 * scale * smooth(seam * shape[0], 0.07 * scale, 0.05 * scale))[:, None]
        if rng.random() < 0.5:
            panel = rounded_box(shape, inset=0.35 * scale, radius=0.2 * scale)
            height += 0.04 * scale * smooth(panel, 0.04 * scale, -0.04 * scale)
        shade = 0.86 + relief(height, light, strength=0.5)
        down = np.linspace(0.06, -0.12, shape[0], dtype=np.float32)[:, None]
        shade += down + grain(rng, shape, 0.012)
        colours = worn(rng, tinted(shade, paint), amount=0.05 + 0.5 * dirt, stain=varied(rng, RUST))
        return picture(colours, smooth(edge, 0.0, -1.5))

    def _front(
        self,
        rng: np.random.Generator,
        cover: Colour,
        *,
        scale: float,
        light: tuple[float, float],
        dirt: float,
    ) -> Image.Image:
        """The box's frame with the glazed plate inside it."""
        left, top, right, bottom = self.box
        shape = (max(round((bottom - top) * scale), 16), max(round((right - left) * scale), 16))
        border = float(rng.uniform(0.05, 0.13)) * scale
        outer = rounded_box(shape, inset=1.0, radius=BOX_RADIUS * scale)
        inner = rounded_box(shape, inset=border, radius=float(rng.uniform(0.02, 0.09)) * scale)
        height = (
            0.04 * scale * (smooth(outer, 0.0, -0.05 * scale) - smooth(inner, 0.02 * scale, 0.0))
        )
        shade = 0.92 + relief(height, light, strength=0.6) + grain(rng, shape, 0.012)
        shade += 0.03 * clouds(rng, shape, cell=scale / 2)
        frame = worn(rng, tinted(shade, cover), amount=0.4 * dirt, stain=(0.42, 0.38, 0.32))
        plate = glazed(rng, self._plate(rng, shape, scale, border, light), light=light, dirt=dirt)
        fall = smooth(inner, -0.07 * scale, 0.0) * rng.uniform(0.15, 0.4)
        plate = plate * grey(1.0 - fall)
        inside = grey(smooth(inner, 0.5, -1.0))
        return picture(plate * inside + frame * (1.0 - inside), smooth(outer, 0.0, -1.5))

    def _plate(
        self,
        rng: np.random.Generator,
        shape: tuple[int, int],
        scale: float,
        border: float,
        light: tuple[float, float],
    ) -> Field:
        left, top, right, bottom = self.box
        ground = varied(rng, (0.84, 0.84, 0.82) if rng.random() < 0.85 else (0.7, 0.74, 0.78), 0.05)
        tone = 1.0 + 0.03 * clouds(rng, shape, cell=max(shape) / 2, octaves=2)
        sheet = Sheet(picture(tinted(tone, ground)), scale, (left, top))
        inset = border / scale
        room = (left + inset, top + inset, right - inset, bottom - inset)
        print_plate(sheet, self.counter, room, rng)
        draw_band(sheet, self.counter, room, rng)
        draw_drums(sheet, self.counter, rng, light=light)
        if rng.random() < 0.3:
            for x in (room[0] + 0.06, room[2] - 0.06):
                draw_screw(sheet, (x, room[3] - 0.06), 0.025, rng)
        colours = np.asarray(sheet.image, dtype=np.float32) / 255.0
        return colours + grey(grain(rng, shape, 0.012))


def gas_meter(rng: np.random.Generator) -> GasMeter:
    looks = {"black, red drums": 3.0, "black, red frame": 3.0, "black, red digits": 1.0,
             "white, red digits": 0.5}  # fmt: skip
    counter = drum_counter(rng, looks=looks, whole=int(rng.choice((5, 5, 5, 6))), decimals=3)
    width, height = float(rng.uniform(1.3, 2.0)), float(rng.uniform(0.65, 1.25))
    left = -0.5 - (width - 1.0) * float(rng.uniform(0.3, 0.7))
    top = -height * float(rng.uniform(0.35, 0.75))
    box = (left, top, left + width, top + height)
    wide, tall = width * float(rng.uniform(1.0, 1.9)), height * float(rng.uniform(1.7, 3.2))
    start = left - (wide - width) * float(rng.uniform(0.2, 0.8))
    above = top - (tall - height) * float(rng.uniform(0.05, 0.4))
    return GasMeter(counter, box, (start, above, start + wide, above + tall))
