"""The ring round a water meter's face: painted, metal, or the clear edge of its cover."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PIL import Image

from models.rendering.materials import (
    BRASS,
    Colour,
    Field,
    clouds,
    grey,
    picture,
    relief,
    smooth,
    tinted,
    varied,
)


class Finish(StrEnum):
    PAINTED = "painted"
    METAL = "metal"
    CLEAR = "clear"


COLOURS: dict[Finish, tuple[Colour, ...]] = {
    Finish.PAINTED: (
        (0.13, 0.3, 0.6), (0.68, 0.12, 0.11), (0.1, 0.1, 0.11), (0.55, 0.55, 0.54),
        (0.82, 0.82, 0.8), (0.08, 0.16, 0.4),
    ),
    Finish.METAL: ((0.62, 0.63, 0.64), BRASS, (0.5, 0.5, 0.5), (0.7, 0.7, 0.68)),
    Finish.CLEAR: ((0.66, 0.67, 0.66), (0.72, 0.7, 0.64), (0.56, 0.58, 0.6)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rim:
    finish: Finish
    colour: Colour
    inner: float
    """Where the face ends, as a share of the outer radius."""
    knurls: int
    """Ridges round the edge, 0 for a smooth one."""


def rim_of(rng: np.random.Generator, inner: float) -> Rim:
    finish = Finish(str(rng.choice(list(Finish), p=[0.5, 0.22, 0.28])))
    colours = COLOURS[finish]
    colour = varied(rng, colours[int(rng.integers(len(colours)))])
    knurls = int(rng.integers(40, 90)) if rng.random() < 0.4 else 0
    return Rim(finish, colour, inner, knurls)


def rim_picture(
    rng: np.random.Generator, rim: Rim, side: int, *, light: tuple[float, float]
) -> Image.Image:
    """RGB, `side` pixels square; made at half the size, as nothing on it is finer."""
    half = side // 2 + 1
    across = (np.arange(half, dtype=np.float32) + 0.5) / half * 2 - 1
    distance = np.hypot(across[None, :], across[:, None])
    angle = np.arctan2(across[:, None], across[None, :])
    share = (distance - rim.inner) / np.float32(1.0 - rim.inner)  # 0 at the face, 1 at the edge
    shade = _shape_shade(rim, share, angle, half=half, light=light)
    shade += _shine(rng, rim, angle, light)
    shade += 0.04 * clouds(rng, distance.shape, cell=half / 10, octaves=2)
    groove = np.exp(-((share / 0.06) ** 2)) * 0.55
    glint = np.exp(-(((share - 0.1) / 0.07) ** 2)) * float(rng.uniform(0.1, 0.55))
    if rim.finish is Finish.CLEAR:
        glint = glint + 0.3 * np.exp(-(((share - 0.72) / 0.05) ** 2)) * (
            0.5 + 0.5 * np.sin(angle * 2)
        )
    colours = tinted(shade * (1.0 - groove), rim.colour) + grey(glint)
    return picture(colours).resize((side, side), Image.Resampling.BICUBIC)


def _shape_shade(
    rim: Rim, share: Field, angle: Field, *, half: int, light: tuple[float, float]
) -> Field:
    """The light on a bulging ring, ridged where it is knurled."""
    profile = np.interp(
        share, [-0.2, 0.0, 0.12, 0.3, 0.75, 1.0], [0.0, 0.0, 0.5, 0.7, 1.0, 0.2]
    ).astype(np.float32)
    thickness = (1.0 - rim.inner) * half / 2
    height = profile * np.float32(thickness * 0.5)
    if rim.knurls:
        ridges = np.sin(angle * rim.knurls) * smooth(share, 0.55, 0.8)
        height += ridges * np.float32(thickness * 0.07)
    shade: Field = np.float32(0.74) + relief(height, light, strength=0.55)
    return shade


def _shine(rng: np.random.Generator, rim: Rim, angle: Field, light: tuple[float, float]) -> Field:
    """Brighter towards the lamp; metal and clear plastic in several sharp sectors."""
    towards = np.cos(angle - np.float32(np.arctan2(light[1], light[0])))
    shine: Field = np.float32(0.14) * towards
    shine += np.float32(rng.uniform(0.0, 0.3)) * np.maximum(towards, 0.0) ** 12
    if rim.finish is Finish.PAINTED:
        return shine
    for _ in range(4):
        turned = np.cos(angle - np.float32(rng.uniform(0, 2 * np.pi)))
        width = int(rng.choice((16, 48, 128)))
        shine += np.float32(rng.normal(0.05, 0.22)) * np.maximum(turned, 0.0) ** width
    return shine
