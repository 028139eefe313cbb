"""What hangs on meters: lids that stand open, seals on their wires."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from models.rendering.camera import Panel, Points, rectangle
from models.rendering.materials import Colour, Field, clouds, ink, picture, relief, smooth, tinted

SEALS: tuple[Colour, ...] = (
    (0.5, 0.5, 0.5), (0.12, 0.5, 0.25), (0.75, 0.5, 0.1), (0.15, 0.3, 0.65), (0.7, 0.15, 0.12),
    (0.85, 0.83, 0.2),
)  # fmt: skip


def open_lid(
    rng: np.random.Generator,
    middle: tuple[float, float],
    reach: float,
    *,
    colour: Colour,
) -> Panel:
    """A round lid on its hinge above the face, tilted back from upright to nearly flat."""
    side = 160
    across = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
    distance = np.hypot(across[None, :], across[:, None])
    bulge: Field = smooth(distance, 0.8, 0.9) - smooth(distance, 0.92, 1.0)
    shade = (
        0.72 + relief(bulge * 5.0, (-0.5, -0.8)) + 0.05 * clouds(rng, (side, side), cell=side / 3)
    )
    texture = picture(tinted(shade, colour), smooth(distance, 1.0, 0.97))
    lean = rng.uniform(0.15, 1.2)
    x, hinge = middle[0], middle[1] - reach * 1.0
    up, forward = 2 * reach * float(np.sin(lean)), 2 * reach * float(np.cos(lean)) * 0.5
    corners = np.array([
        [x - reach, hinge - up, forward], [x + reach, hinge - up, forward],
        [x + reach, hinge, -0.05], [x - reach, hinge, -0.05],
    ])  # fmt: skip
    return Panel(texture, corners)


def hanging_seal(
    rng: np.random.Generator, middle: tuple[float, float], reach: float, *, scale: float
) -> Panel:
    """A twisted wire from the case's edge with a lead or plastic seal at its end."""
    span = reach * 0.9
    side = int(np.clip(span * scale, 24, 400))
    seal = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(seal)
    bend = rng.uniform(0.1, 0.9, (3, 2)) * side
    t = np.linspace(0, 1, 24)[:, None]
    wire: Points = (1 - t) ** 2 * [side * 0.5, 0] + 2 * (1 - t) * t * bend[0] + t**2 * bend[1]
    pen = max(round(side / 60), 1)
    draw.line([tuple(p) for p in (wire + pen).tolist()], (30, 28, 26, 150), pen)
    draw.line([tuple(p) for p in wire.tolist()], (150, 140, 120, 255), pen)
    x, y = (float(v) for v in np.clip(bend[1], side * 0.15, side * 0.85))
    half = side * float(rng.uniform(0.06, 0.13))
    colour = SEALS[int(rng.integers(len(SEALS)))]
    red, green, blue = colour
    radius = half if rng.random() < 0.5 else half * 0.25
    for shift, fill in ((half * 0.18, ink((red * 0.45, green * 0.45, blue * 0.45))),
                        (0.0, ink(colour))):  # fmt: skip
        box = (x - half + shift, y - half + shift, x + half + shift, y + half + shift)
        draw.rounded_rectangle(box, radius, fill=fill)
    inner = (x - half * 0.5, y - half * 0.5, x + half * 0.3, y + half * 0.3)
    draw.ellipse(inner, fill=ink((red * 0.8 + 0.2, green * 0.8 + 0.2, blue * 0.8 + 0.2)))
    angle = float(rng.choice((0.25, 0.75, -0.25, -0.75))) * np.pi
    at = (middle[0] + reach * float(np.cos(angle)), middle[1] + reach * float(np.sin(angle)))
    return Panel(seal, rectangle(at[0] - span / 2, at[1], at[0] + span / 2, at[1] + span, z=-0.15))
