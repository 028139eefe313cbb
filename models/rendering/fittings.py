"""Pipes, nuts, valves and cables: what meters hang on and what runs along walls."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from models.rendering.camera import Panel, Points, paste_quad
from models.rendering.materials import (
    BRASS,
    PLASTIC_WHITE,
    RUST,
    STEEL,
    Colour,
    Field,
    cylinder,
    ink,
    picture,
    tinted,
    varied,
    worn,
)

Paints = tuple[tuple[Colour, float], ...]

PIPES: Paints = (
    # colour, gloss
    (PLASTIC_WHITE, 0.12),
    ((0.78, 0.78, 0.76), 0.1), (STEEL, 0.3), (RUST, 0.03), ((0.58, 0.4, 0.3), 0.25),
    ((0.45, 0.5, 0.42), 0.06), ((0.5, 0.16, 0.14), 0.1), ((0.22, 0.28, 0.42), 0.1),
    ((0.75, 0.74, 0.6), 0.12),
)  # fmt: skip


def pipe_texture(
    rng: np.random.Generator, shape: tuple[int, int], paints: Paints = PIPES
) -> Image.Image:
    """A pipe that lies across, RGBA, smooth or corrugated, clean or rusty."""
    colour, gloss = paints[int(rng.integers(len(paints)))]
    body = cylinder(rng, shape, varied(rng, colour), gloss=gloss)
    if rng.random() < 0.12:
        body = body * _corrugation(shape)
    if rng.random() < 0.5:
        body = worn(rng, body, amount=float(rng.uniform(0.1, 0.7)), stain=varied(rng, RUST))
    return _with_clear_edge(picture(body))


def nut_texture(rng: np.random.Generator, shape: tuple[int, int], metal: Colour) -> Image.Image:
    """A hexagonal nut that lies across: three faces, each with its own light."""
    height, width = shape
    edges = np.array([0.0, 0.27, 0.73, 1.0]) * height
    rows = np.digitize(np.arange(height), edges[1:-1])
    faces = np.array([rng.uniform(0.75, 1.1), rng.uniform(0.6, 1.0), rng.uniform(0.3, 0.5)])
    along = 1.0 - 0.25 * np.abs(np.linspace(-1, 1, width)) ** 6
    shade = (faces[rows][:, None] * along[None, :]).astype(np.float32)
    body = tinted(shade, metal)
    return _with_clear_edge(
        picture(worn(rng, body, amount=float(rng.uniform(0, 0.4)), stain=varied(rng, RUST)))
    )


def water_pipes(
    rng: np.random.Generator,
    middle: tuple[float, float],
    reach: float,
    *,
    depth: float,
    scale: float,
) -> list[Panel]:
    """Body, unions and pipes on both sides of a meter, upright or level, behind its face."""
    metal = varied(rng, BRASS if rng.random() < 0.7 else STEEL)
    turn = rng.choice((0.0, np.pi / 2))
    texel = min(scale, 90.0)
    z = -depth - 0.12
    panels: list[Panel] = []
    pipe_radius = reach * float(rng.uniform(0.17, 0.3))
    for side in (0.0, np.pi):
        along = np.array([np.cos(turn + side), np.sin(turn + side)])
        texture = pipe_texture(rng, _texels(3.0, 2 * pipe_radius, texel))
        panels.append(_laid(texture, middle, along, reach * 0.6, 8.0, pipe_radius, z))
        at = reach * float(rng.uniform(0.8, 0.95))
        for _ in range(int(rng.integers(1, 4))):
            length = reach * float(rng.uniform(0.12, 0.4))
            radius = pipe_radius * float(rng.uniform(1.05, 1.75))
            shape = _texels(length, 2 * radius, texel)
            nut = nut_texture(rng, shape, metal)
            if rng.random() < 0.4:
                nut = _with_clear_edge(picture(cylinder(rng, shape, metal, gloss=0.4)))
            panels.append(_laid(nut, middle, along, at, at + length, radius, z + 0.02))
            at += length
    body = _with_clear_edge(picture(cylinder(rng, _texels(1.6, 1.2, texel), metal, gloss=0.35)))
    along = np.array([np.cos(turn), np.sin(turn)])
    panels.append(_laid(body, middle, along, -reach * 0.9, reach * 0.9, reach * 0.6, z))
    return panels


def lay_pipe(
    photo: Image.Image, start: Points, end: Points, radius: float, rng: np.random.Generator
) -> None:
    """A straight pipe between two photo points, `radius` pixels thick to each side."""
    along = end - start
    length = max(float(np.hypot(*along)), 1.0)
    aside = np.array([-along[1], along[0]]) / length * radius
    shape = (max(round(2 * radius), 6), max(min(round(length), 500), 6))
    quad = np.array([start - aside, end - aside, end + aside, start + aside])
    paste_quad(photo, pipe_texture(rng, shape), quad)


def hang_cable(photo: Image.Image, rng: np.random.Generator, *, pen: float, colour: Colour) -> None:
    """A curved cable across the photo, with a line of light along it."""
    size = np.array(photo.size, dtype=float)
    knots = rng.uniform(-0.1, 1.1, (4, 2)) * size
    knots[0, 1], knots[3, 1] = -10.0, size[1] + 10.0 if rng.random() < 0.6 else -10.0
    t = np.linspace(0, 1, 40)[:, None]
    curve = ((1 - t) ** 3 * knots[0] + 3 * (1 - t) ** 2 * t * knots[1]
             + 3 * (1 - t) * t**2 * knots[2] + t**3 * knots[3])  # fmt: skip
    draw = ImageDraw.Draw(photo)
    red, green, blue = colour
    bright = ink((red * 0.7 + 0.25, green * 0.7 + 0.25, blue * 0.7 + 0.25))
    for offset, width, fill in ((0.35, 1.0, ink((red * 0.4, green * 0.4, blue * 0.4))),
                                (0.0, 0.9, ink(colour)), (-0.2, 0.25, bright)):  # fmt: skip
        points = [tuple(p) for p in (curve + pen * offset * 0.5).tolist()]
        draw.line(points, fill=fill, width=max(round(pen * width), 1), joint="curve")


def _corrugation(shape: tuple[int, int]) -> Field:
    waves = 0.75 + 0.3 * np.sin(np.arange(shape[1], dtype=np.float32) * (26.0 / shape[0]))
    return np.broadcast_to(waves[None, :, None], (*shape, 1)).astype(np.float32)


def _texels(length: float, thickness: float, texel: float) -> tuple[int, int]:
    return max(round(thickness * texel), 6), max(round(length * texel), 6)


def _laid(
    texture: Image.Image,
    middle: tuple[float, float],
    along: Points,
    start: float,
    end: float,
    radius: float,
    z: float,
) -> Panel:
    """The texture from `start` to `end` along an axis through `middle`."""
    aside = np.array([-along[1], along[0]]) * radius
    first, last = np.array(middle) + along * start, np.array(middle) + along * end
    flat = np.array([first - aside, last - aside, last + aside, first + aside])
    return Panel(texture, np.column_stack([flat, np.full(4, z)]))


def _with_clear_edge(texture: Image.Image) -> Image.Image:
    """One clear pixel round it, so that its warped edge is soft."""
    framed = Image.new("RGBA", (texture.width + 2, texture.height + 2))
    framed.paste(texture, (1, 1))
    return framed
