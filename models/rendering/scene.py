"""Where meters hang: walls of plaster, tiles, bricks or board, dark shafts, and their pipes."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from models.rendering.camera import Points, paste_quad
from models.rendering.fittings import hang_cable, lay_pipe
from models.rendering.materials import (
    Colour,
    clouds,
    grain,
    grey,
    ink,
    picture,
    relief,
    resized,
    tinted,
    varied,
    worn,
)


class Surface(StrEnum):
    PLASTER = "plaster"
    TILES = "tiles"
    BRICKS = "bricks"
    CONCRETE = "concrete"
    BOARD = "board"
    SHAFT = "shaft"


PAINTS: tuple[Colour, ...] = (
    (0.78, 0.77, 0.73), (0.72, 0.66, 0.52), (0.45, 0.53, 0.5), (0.44, 0.48, 0.53), (0.6, 0.6, 0.6),
    (0.8, 0.74, 0.6), (0.35, 0.4, 0.33), (0.68, 0.55, 0.48), (0.55, 0.62, 0.66),
)  # fmt: skip
BRICK: Colour = (0.46, 0.3, 0.24)
BOARDS: tuple[Colour, ...] = (
    (0.46, 0.36, 0.27), (0.8, 0.8, 0.78), (0.42, 0.43, 0.44), (0.6, 0.5, 0.38),
)  # fmt: skip
CABLES: tuple[Colour, ...] = (
    (0.08, 0.08, 0.08), (0.75, 0.75, 0.73), (0.3, 0.3, 0.32), (0.2, 0.45, 0.2), (0.7, 0.5, 0.15),
)  # fmt: skip


def background(
    rng: np.random.Generator, size: tuple[int, int], *, light: tuple[float, float], clutter: float
) -> Image.Image:
    """An RGB wall of `size` (width, height) with what runs along it; `clutter` 0..1."""
    surface = Surface(str(rng.choice(list(Surface), p=[0.3, 0.2, 0.1, 0.14, 0.12, 0.14])))
    photo = _wall(rng, size, surface, light)
    if rng.random() < 0.5:
        photo = _leaning(rng, photo)
    if rng.random() < 0.6:
        blur = max(size) * float(rng.uniform(0.001, 0.006))
        photo = photo.filter(ImageFilter.BoxBlur(blur))
    for _ in range(int(rng.poisson(0.5 + 1.6 * clutter))):
        _lay_random_pipe(photo, rng)
    for _ in range(int(rng.poisson(0.2 + 0.9 * clutter))):
        pen = max(photo.width, photo.height) * float(rng.uniform(0.004, 0.016))
        hang_cable(photo, rng, pen=pen, colour=varied(rng, CABLES[int(rng.integers(len(CABLES)))]))
    return photo


def _wall(
    rng: np.random.Generator, size: tuple[int, int], surface: Surface, light: tuple[float, float]
) -> Image.Image:
    match surface:
        case Surface.PLASTER:
            return _plaster(rng, size, light, PAINTS[int(rng.integers(len(PAINTS)))], rough=0.2)
        case Surface.CONCRETE:
            return _plaster(rng, size, light, (0.52, 0.51, 0.48), rough=0.6)
        case Surface.SHAFT:
            return _plaster(rng, size, light, varied(rng, (0.12, 0.11, 0.1)), rough=0.35)
        case Surface.TILES:
            return _courses(rng, size, light, paint=PAINTS[int(rng.integers(len(PAINTS)))])
        case Surface.BRICKS:
            return _courses(rng, size, light, paint=None)
        case Surface.BOARD:
            return _board(rng, size)


def _plaster(
    rng: np.random.Generator,
    size: tuple[int, int],
    light: tuple[float, float],
    colour: Colour,
    *,
    rough: float,
) -> Image.Image:
    """Paint over an uneven ground, with stains, made at half size: walls are out of focus."""
    shape = (size[1] // 2 + 1, size[0] // 2 + 1)
    lumps = clouds(rng, shape, cell=max(shape) / rng.uniform(8, 40), octaves=3)
    shade = 1.0 + relief(lumps, light, strength=0.5 * rough)
    shade += grain(rng, shape, 0.035 * rough)
    colours = tinted(shade, varied(rng, colour))
    stained = worn(
        rng, colours, amount=float(rng.uniform(0.0, 0.9) * rough), stain=(0.3, 0.27, 0.22)
    )
    return picture(stained).resize(size, Image.Resampling.BICUBIC)


def _courses(
    rng: np.random.Generator,
    size: tuple[int, int],
    light: tuple[float, float],
    *,
    paint: Colour | None,
) -> Image.Image:
    """Rows of tiles of one `paint`, or of bricks where it is None, with their joints."""
    width, height = size[0] // 2 + 1, size[1] // 2 + 1
    brick = paint is None
    colour = BRICK if paint is None else paint
    tall = max(width, height) * float(rng.uniform(0.05, 0.09) if brick else rng.uniform(0.12, 0.4))
    wide = tall * float(rng.uniform(2.4, 3.6) if brick else rng.choice((1.0, 1.0, 1.5, 0.7)))
    joint = max(tall * float(rng.uniform(0.015, 0.03) if not brick else 0.14), 1.0)
    photo = Image.new(
        "RGB", (width, height), ink(varied(rng, (0.6, 0.58, 0.54) if brick else (0.5, 0.49, 0.47)))
    )
    draw = ImageDraw.Draw(photo)
    start = rng.uniform(-1, 0, 2) * (wide, tall)
    for row, top in enumerate(np.arange(start[1], height, tall)):
        left = start[0] - (wide / 2 if brick and row % 2 else 0.0)
        for x in np.arange(left, width, wide):
            tint = varied(rng, colour, 0.05 if brick else 0.015)
            corner = (x + joint / 2, top + joint / 2)
            draw.rectangle((*corner, x + wide - joint / 2, top + tall - joint / 2), fill=ink(tint))
    colours = np.asarray(photo, dtype=np.float32) / 255.0
    tone = np.ascontiguousarray(colours.mean(axis=2))
    bumps = relief(tone * 6.0, light, strength=0.4)
    dull = 1.0 + 0.06 * clouds(rng, (height, width), cell=max(width, height) / 3, octaves=2)
    rough = grain(rng, (height, width), 0.05 if brick else 0.01)
    wall = picture(colours * grey(dull + bumps + rough))
    return wall.resize(size, Image.Resampling.BICUBIC)


def _board(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Painted metal, or wood with its grain along one side, with a seam."""
    shape = (size[1] // 2 + 1, size[0] // 2 + 1)
    colour = varied(rng, BOARDS[int(rng.integers(len(BOARDS)))])
    streaks = rng.random((shape[0], 5), dtype=np.float32) if colour[0] > colour[2] * 1.2 else None
    shade = 1.0 + 0.05 * clouds(rng, shape, cell=max(shape) / 2, octaves=2)
    if streaks is not None:
        shade += 0.16 * (resized(streaks, shape) - 0.5)
    wall = picture(tinted(shade, colour)).resize(size, Image.Resampling.BILINEAR)
    if rng.random() < 0.6:
        x = float(rng.uniform(0.05, 0.95)) * size[0]
        draw = ImageDraw.Draw(wall)
        draw.line((x, 0, x, size[1]), ink((0.1, 0.1, 0.1)), max(size[0] // 150, 1))
        draw.line((x + size[0] / 120, 0, x + size[0] / 120, size[1]), ink((0.85, 0.85, 0.83)), 1)
    return wall


def _leaning(rng: np.random.Generator, photo: Image.Image) -> Image.Image:
    """The wall as seen from a bit aside."""
    width, height = photo.size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=float)
    middle = np.array([width / 2, height / 2])
    outward = (corners - middle) * rng.uniform(1.05, 1.6, (4, 1)) + middle
    turned = photo.copy()
    texture = photo.convert("RGBA")
    paste_quad(turned, texture, outward)
    return turned


def _lay_random_pipe(photo: Image.Image, rng: np.random.Generator) -> None:
    """From edge to edge, mostly upright, with its soft shadow beside it."""
    width, height = photo.size
    across = rng.random() < 0.3
    at, drift = rng.uniform(0.0, 1.0), rng.normal(0.0, 0.05)
    radius = max(width, height) * float(rng.uniform(0.012, 0.06))
    if across:
        start, end = np.array([-20, at * height]), np.array([width + 20, (at + drift) * height])
    else:
        start, end = np.array([at * width, -20]), np.array([(at + drift) * width, height + 20])
    _shade_beside(photo, start, end, radius)
    lay_pipe(photo, start, end, radius, rng)
    for _ in range(int(rng.integers(0, 3))):
        place = start + (end - start) * rng.uniform(0.1, 0.9)
        step = (end - start) / np.hypot(*(end - start)) * radius * rng.uniform(0.5, 1.6)
        lay_pipe(photo, place, place + step, radius * float(rng.uniform(1.1, 1.4)), rng)


def _shade_beside(photo: Image.Image, start: Points, end: Points, radius: float) -> None:
    ramp = np.zeros((16, 16, 4), dtype=np.uint8)
    ramp[:, :, 3] = (120 * np.sin(np.linspace(0, np.pi, 16)) ** 2).astype(np.uint8)[:, None]
    shade = Image.fromarray(ramp)
    along = end - start
    aside = np.array([-along[1], along[0]]) / np.hypot(*along) * radius
    first, last = start + aside * 0.5, end + aside * 0.5
    quad = np.array(
        [first - aside * 1.4, last - aside * 1.4, last + aside * 1.4, first + aside * 1.4]
    )
    paste_quad(photo, shade, quad)
