"""Water meters: a round face with its print and wheels, a ring, glass, brass and pipes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from models.rendering.camera import Panel, Part, Points, Wall, rectangle
from models.rendering.counter import Counter, drum_counter
from models.rendering.drums import draw_drums
from models.rendering.fittings import water_pipes
from models.rendering.glass import glazed
from models.rendering.materials import (
    Colour,
    Field,
    as_bytes,
    clouds,
    grain,
    grey,
    picture,
    smooth,
    tinted,
    varied,
)
from models.rendering.rim import Rim, rim_of, rim_picture
from models.rendering.seals import hanging_seal, open_lid
from models.rendering.sheet import Sheet
from models.rendering.water_face import Face, draw_surround, print_face

LIDS: tuple[Colour, ...] = (
    (0.12, 0.26, 0.55), (0.6, 0.13, 0.12), (0.12, 0.12, 0.13), (0.5, 0.5, 0.49), (0.35, 0.24, 0.16),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WaterMeter:
    """`radius` is the face's, `ring` the width of what surrounds it, in counter widths."""

    counter: Counter
    radius: float
    ring: float
    middle: tuple[float, float]
    """The face's centre, seen from the counter's."""

    @property
    def aim(self) -> tuple[float, float]:
        return self.middle

    @property
    def outline(self) -> Points:
        """The case, clockwise (48, 3)."""
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        reach = (self.radius + self.ring) * 0.995
        x, y = self.middle[0] + reach * np.cos(angle), self.middle[1] + reach * np.sin(angle)
        return np.stack([x, y, np.zeros_like(x)], axis=1)

    def behind(self, rng: np.random.Generator, *, scale: float) -> list[Panel]:
        """The brass body with its unions and pipes, a seal, an open lid."""
        reach = self.radius + self.ring
        panels = water_pipes(rng, self.middle, reach, depth=0.4, scale=scale)
        if rng.random() < 0.4:
            panels.append(hanging_seal(rng, self.middle, reach, scale=scale))
        if rng.random() < 0.15:
            colour = varied(rng, LIDS[int(rng.integers(len(LIDS)))])
            panels.append(open_lid(rng, self.middle, reach, colour=colour))
        return panels

    def parts(
        self, rng: np.random.Generator, *, scale: float, light: tuple[float, float], dirt: float
    ) -> list[Part]:
        """From back to front; `scale` is texture pixels a unit."""
        reach = self.radius + self.ring
        rim = rim_of(rng, self.radius / reach)
        x, y = self.middle
        face = Panel(
            self._face(rng, rim, scale=scale, light=light, dirt=dirt),
            rectangle(x - reach, y - reach, x + reach, y + reach),
        )
        return [Wall(self.outline, float(rng.uniform(0.25, 0.6)), rim.colour), face]

    def _face(
        self,
        rng: np.random.Generator,
        rim: Rim,
        *,
        scale: float,
        light: tuple[float, float],
        dirt: float,
    ) -> Image.Image:
        """The plate, sunk into its ring, behind glass; RGBA, clear outside the ring."""
        reach = self.radius + self.ring
        side = max(round(2 * reach * scale), 24)
        across = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 * reach - reach
        distance = np.hypot(across[None, :], across[:, None])
        plate = self._plate(rng, side, light=light)
        lean_x, lean_y = light[0] * 0.05, light[1] * 0.05
        recess = np.hypot(across[None, :] - lean_x, across[:, None] - lean_y)
        plate *= grey(1.0 - 0.45 * smooth(recess, self.radius * 0.9, self.radius * 1.04))
        glass = picture(glazed(rng, plate, light=light, dirt=dirt))
        inside = as_bytes(smooth(distance, self.radius + 1.0 / scale, self.radius - 1.0 / scale))
        ring = rim_picture(rng, rim, side, light=light)
        ring.paste(glass, (0, 0), Image.fromarray(inside))
        clear = as_bytes(smooth(distance, reach, reach - 2.0 / scale))
        ring.putalpha(Image.fromarray(clear))
        return ring

    def _plate(self, rng: np.random.Generator, side: int, *, light: tuple[float, float]) -> Field:
        """The printed face with counter and wheels, (side, side, 3)."""
        reach = self.radius + self.ring
        black = rng.random() < 0.06
        ground: Colour = (0.1, 0.1, 0.11) if black else varied(rng, (0.87, 0.86, 0.82), 0.05)
        tone = 1.0 + 0.035 * clouds(rng, (side, side), cell=side / 2, octaves=2)
        base = picture(tinted(tone.astype(np.float32), ground))
        sheet = Sheet(base, side / (2 * reach), (self.middle[0] - reach, self.middle[1] - reach))
        print_face(sheet, Face(self.counter, self.radius, self.middle), rng, black=black)
        draw_surround(sheet, self.counter, rng)
        draw_drums(sheet, self.counter, rng, light=light)
        colours = np.asarray(sheet.image, dtype=np.float32) / 255.0
        return colours + grey(grain(rng, (side, side), 0.012))


def water_meter(rng: np.random.Generator) -> WaterMeter:
    """A random one; the counter sits above, at, or below the face's centre."""
    looks = {"white, red digits": 4.0, "white, red drums": 2.0, "black, red drums": 2.5,
             "black, red digits": 1.0}  # fmt: skip
    counter = drum_counter(
        rng,
        looks=looks,
        whole=int(rng.choice((4, 5, 5, 5, 6))),
        decimals=int(rng.choice((0, 3, 3))),
    )
    radius = float(rng.uniform(0.78, 1.1))
    chance = rng.random()
    offset = rng.uniform(0.3, 0.48) if chance < 0.7 else rng.uniform(-0.35, 0.1)
    limit = np.sqrt(max(radius**2 - 0.6**2, 0.0)) - counter.last_height
    below = float(np.clip(offset * radius, -max(limit, 0.0), max(limit, 0.0)))
    ring = float(radius * rng.uniform(0.05, 0.16))
    return WaterMeter(counter, radius, ring, (float(rng.normal(0.0, 0.03)), below))
