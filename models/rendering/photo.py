"""One rendered photo with its exact mask, from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from models.rendering.camera import Points, Pose, paste_part, region_mask, rotation
from models.rendering.clutter import clutter_parts
from models.rendering.electricity import electricity_meter
from models.rendering.gas import gas_meter
from models.rendering.lens import Exposure, exposed, field_exposure, noisy, plain_exposure
from models.rendering.materials import light_of
from models.rendering.posing import Difficulty, Meter, Place, pose_of
from models.rendering.scene import background
from models.rendering.sheet import Span
from models.rendering.water import water_meter
from service.core.geometry import Box
from service.core.regions import bounds_of

SMALLEST_PX, LARGEST_PX = 256, 4000
WORKING_PX = 1600
"""Larger photos are drawn with this longer side and enlarged: phones' lenses resolve no more."""
FINEST_TEXELS, COARSEST_TEXELS = 1.25, 0.85
"""Texture pixels a photo pixel, for a meter seen from afar and for one that overfills the photo."""


class MeterKind(StrEnum):
    WATER = "water"
    GAS = "gas"
    ELECTRICITY = "electricity"
    NONE = "none"
    """Walls, pipes and things that are no meter."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`mask` is 255 exactly on the counters' windows; `boxes` bound each one's pixels, in order."""

    photo: Image.Image  # RGB
    mask: Image.Image  # L, 0 or 255
    boxes: tuple[Box, ...]
    kind: MeterKind
    reading: str
    """Digits with a point before decimals, several meters' separated by a space; '' for none."""


def render(
    seed: int,
    *,
    kind: MeterKind | None = None,
    width: int = 1024,
    height: int = 768,
    difficulty: Difficulty = Difficulty.PLAIN,
    meters: int = 1,
    cut_by_border: bool = False,
) -> Rendered:
    """The photo of `seed`; the same arguments give the same pixels.

    `width` and `height` are 256 to 4000 pixels. Two `meters` share the photo's longer side.
    `cut_by_border` moves a quarter to a half of the counter out of the photo. Raises ValueError
    for sizes and counts outside these.
    """
    _check(width, height, meters)
    rng = np.random.default_rng(seed)
    chosen = kind or MeterKind(str(rng.choice(list(MeterKind), p=[0.4, 0.3, 0.2, 0.1])))
    factor = max(1.0, max(width, height) / WORKING_PX)
    size = (round(width / factor), round(height / factor))
    placed = [] if chosen is MeterKind.NONE else [
        _placed(rng, chosen, Place(span, difficulty, alone=meters == 1, cut=cut_by_border))
        for span in _slots(size, meters)
    ]  # fmt: skip
    exposure = (plain_exposure if difficulty is Difficulty.PLAIN else field_exposure)(rng)
    if not placed:
        exposure = replace(exposure, glare=0.0)  # bare walls are dull
    scene = _scene(rng, size, placed, difficulty=difficulty)
    photo = _developed(rng, scene, exposure, size=(width, height))
    stretch = np.array([width / size[0], height / size[1]])
    masks = [_mask(meter, pose, stretch, size=(width, height)) for meter, pose in placed]
    union = np.any(masks, axis=0) if masks else np.zeros((height, width), dtype=bool)
    return Rendered(
        photo=photo,
        mask=Image.fromarray(union.astype(np.uint8) * 255),
        boxes=tuple(bounds_of(mask) for mask in masks),
        kind=chosen,
        reading=" ".join(meter.counter.reading for meter, _ in placed),
    )


def _check(width: int, height: int, meters: int) -> None:
    if not all(SMALLEST_PX <= side <= LARGEST_PX for side in (width, height)):
        raise ValueError(
            f"a photo of {width}x{height} was asked for; "
            f"each side must be {SMALLEST_PX} to {LARGEST_PX} pixels"
        )
    if meters not in (1, 2):
        raise ValueError(f"{meters} meters were asked for; a photo shows one or two")


def _slots(size: tuple[int, int], meters: int) -> list[Span]:
    """The photo, or its two halves along its longer side."""
    width, height = size
    if meters == 1:
        return [(0, 0, width, height)]
    if width >= height:
        return [(0, 0, width / 2, height), (width / 2, 0, width, height)]
    return [(0, 0, width, height / 2), (0, height / 2, width, height)]


def _placed(rng: np.random.Generator, kind: MeterKind, place: Place) -> tuple[Meter, Pose]:
    meter: Meter
    match kind:
        case MeterKind.WATER:
            meter = water_meter(rng)
        case MeterKind.GAS:
            meter = gas_meter(rng)
        case _:
            meter = electricity_meter(rng)
    return meter, pose_of(rng, meter, place)


def _scene(
    rng: np.random.Generator,
    size: tuple[int, int],
    placed: list[tuple[Meter, Pose]],
    *,
    difficulty: Difficulty,
) -> Image.Image:
    """Everything in front of the lens, evenly lit."""
    light = light_of(rng)
    plain = difficulty is Difficulty.PLAIN
    scene = background(rng, size, light=light, clutter=0.3 if plain else 1.0)
    if not placed:
        _add_clutter(scene, rng, light)
    for meter, pose in placed:
        _cast_shadow(scene, pose.project(meter.outline - [0.0, 0.0, 0.5]), light, pose.scale)
        for panel in meter.behind(rng, scale=_texels(pose, size)):
            paste_part(scene, panel, pose=pose, light=light)
    for meter, pose in placed:
        _cast_shadow(scene, pose.project(meter.outline - [0.0, 0.0, 0.2]), light, pose.scale * 0.5)
        dirt = 0.05 if plain else float(rng.uniform(0.0, 1.0) ** 2)
        local = pose.light_in_frame(light)
        for part in meter.parts(rng, scale=_texels(pose, size), light=local, dirt=dirt):
            paste_part(scene, part, pose=pose, light=light)
    return scene


def _texels(pose: Pose, size: tuple[int, int]) -> float:
    """Texture pixels a unit: close up, what is printed is large and needs fewer for each pixel."""
    density = np.clip(0.4 * max(size) / pose.scale, COARSEST_TEXELS, FINEST_TEXELS)
    return pose.scale * float(density)


def _add_clutter(scene: Image.Image, rng: np.random.Generator, light: tuple[float, float]) -> None:
    """None to three things that are no meter."""
    longer = max(scene.size)
    for _ in range(int(rng.integers(0, 4))):
        yaw, pitch, roll = rng.normal(0.0, 0.2, 3)
        at = rng.uniform(0.15, 0.85, 2) * scene.size
        pose = Pose(rotation(yaw=yaw, pitch=pitch, roll=roll), 0.1, longer * rng.uniform(0.12, 0.5),
                    (float(at[0]), float(at[1])))  # fmt: skip
        local = pose.light_in_frame(light)
        for part in clutter_parts(rng, scale=_texels(pose, scene.size), light=local):
            paste_part(scene, part, pose=pose, light=light)


def _cast_shadow(
    scene: Image.Image, outline: Points, light: tuple[float, float], reach: float
) -> None:
    """The case's soft shadow on the wall, away from the lamp; made at a quarter of the size."""
    small = Image.new("L", (scene.width // 4 + 1, scene.height // 4 + 1))
    moved = (outline - np.array(light) * reach * 0.22) / 4.0
    ImageDraw.Draw(small).polygon([tuple(p) for p in moved.tolist()], fill=150)
    soft = small.filter(ImageFilter.GaussianBlur(max(reach * 0.03, 1.0)))
    scene.paste((8, 7, 6), (0, 0), soft.resize(scene.size, Image.Resampling.BILINEAR))


def _developed(
    rng: np.random.Generator, scene: Image.Image, exposure: Exposure, *, size: tuple[int, int]
) -> Image.Image:
    lit = exposed(rng, scene, exposure)
    return noisy(rng, lit.resize(size, Image.Resampling.BICUBIC), exposure)


def _mask(meter: Meter, pose: Pose, stretch: Points, *, size: tuple[int, int]) -> NDArray[np.bool_]:
    windows = meter.counter.windows
    return region_mask(tuple(pose.project(window) * stretch for window in windows), size)
