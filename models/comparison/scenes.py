"""Photos for the figure: drawn for it, so that it may be shown to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.evaluate import Way
from models.rendering import Difficulty, MeterKind, render
from service.core.photo import Limits, Photo
from service.imaging.probe import photo_of

SIZE = (640, 480)
DRAWN = (
    (MeterKind.WATER, 770_001),
    (MeterKind.GAS, 770_002),
    (MeterKind.ELECTRICITY, 770_003),
    (MeterKind.WATER, 770_004),
    (MeterKind.GAS, 770_005),
    (MeterKind.NONE, 770_006),
)
"""Kinds and seeds; a folder's photos are drawn from other ones."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One drawn photo as it would be sent, and where its reading is."""

    kind: MeterKind
    picture: Image.Image
    truth: NDArray[np.bool_]  # (height, width)
    photo: Photo


def scenes(size: tuple[int, int] = SIZE) -> list[Scene]:
    """The same ones each time."""
    return [_scene(kind, seed, size) for kind, seed in DRAWN]


def found_by(way: Way, scene: Scene) -> NDArray[np.bool_]:
    """(height, width): what a network or method takes for the reading, at the photo's size."""
    mask = way.judged(scene.photo).mask
    inner = mask.frame.inner
    box = (inner.left, inner.top, inner.right, inner.bottom)
    found = Image.fromarray(mask.probabilities >= way.policy.threshold).crop(box)
    return np.asarray(found.resize(scene.picture.size, Image.Resampling.NEAREST)) > 0


def _scene(kind: MeterKind, seed: int, size: tuple[int, int]) -> Scene:
    width, height = size
    drawn = render(seed, kind=kind, width=width, height=height, difficulty=Difficulty.FIELD)
    content = BytesIO()
    drawn.photo.save(content, "JPEG", quality=90)
    photo = photo_of(content.getvalue(), Limits())
    return Scene(kind, drawn.photo, np.asarray(drawn.mask) > 0, photo)
