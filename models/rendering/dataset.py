"""Rendered photos as a folder that `models.datasets` reads: `images` and `masks`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from models.rendering.photo import MeterKind, Rendered, render
from models.rendering.posing import Difficulty

SIDES = ((4, 3), (3, 4), (16, 9), (9, 16), (1, 1))


def write_dataset(
    folder: Path,
    count: int,
    *,
    seed: int,
    longer_px: int = 512,
    difficulty: Difficulty = Difficulty.FIELD,
    kind: MeterKind | None = None,
) -> None:
    """Writes `count` photos as `images/*.jpg` with `masks/*.png` of the same names.

    Photo number n of a seed is always the same, so a folder can be continued or made larger; its
    longer side has `longer_px` pixels (from 456, for the shorter must have 256).
    """
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in tqdm(range(count), "rendering"):
        rng = np.random.default_rng([seed, number])
        width, height = _size(rng, longer_px)
        rendered = render(
            int(rng.integers(2**63)), kind=kind, width=width, height=height, difficulty=difficulty
        )
        _write(rendered, folder, f"{seed}x{number:06d}", quality=int(rng.integers(85, 96)))


def _size(rng: np.random.Generator, longer_px: int) -> tuple[int, int]:
    """(width, height) with one of the ratios that phones use."""
    across, down = SIDES[int(rng.choice(len(SIDES), p=[0.34, 0.36, 0.1, 0.12, 0.08]))]
    unit = longer_px / max(across, down)
    return round(across * unit), round(down * unit)


def _write(rendered: Rendered, folder: Path, name: str, *, quality: int) -> None:
    """The mask first: a photo that is there has its mask."""
    rendered.mask.save(folder / "masks" / f"{name}.png", optimize=False)
    rendered.photo.save(folder / "images" / f"{name}.jpg", quality=quality)
