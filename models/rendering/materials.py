"""What surfaces look like: grain, clouds, relief under a light, and the shine of round metal.

Arrays are (height, width) or (height, width, 3), float32 where they are large; colours are 0..1,
as a screen shows them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.floating[Any]]
Colour = tuple[float, float, float]

PLASTIC_WHITE: Colour = (0.86, 0.86, 0.83)
BRASS: Colour = (0.6, 0.5, 0.33)
STEEL: Colour = (0.62, 0.63, 0.64)
RUST: Colour = (0.36, 0.22, 0.14)


def clouds(
    rng: np.random.Generator, shape: tuple[int, int], *, cell: float, octaves: int = 3
) -> Field:
    """Smooth noise about -1..1; `cell` pixels is the size of its largest lumps."""
    # Summed no finer than its smallest lumps need, then stretched once.
    finest = max(cell / 2 ** (octaves - 1), 2.0)
    rough = (_cells(shape[0], finest / 2), _cells(shape[1], finest / 2))
    total = np.zeros(rough, dtype=np.float32)
    for octave in range(octaves):
        step = max(cell / 2**octave, 2.0)
        size = (_cells(shape[0], step), _cells(shape[1], step))
        lumps = rng.random(size, dtype=np.float32) * 2.0 - 1.0
        total += resized(lumps, rough) / 1.7**octave
    return resized(total, shape, Image.Resampling.BILINEAR)


def _cells(length: int, step: float) -> int:
    return int(length / step) + 2


def resized(
    values: Field,
    shape: tuple[int, int],
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
) -> Field:
    """`values` stretched to `shape` (height, width)."""
    stretched = Image.fromarray(values.astype(np.float32, copy=False))
    return np.asarray(stretched.resize((shape[1], shape[0]), resampling))


def grain(rng: np.random.Generator, shape: tuple[int, ...], amount: float) -> Field:
    """Independent noise with a standard deviation of `amount`, from two bytes a value."""
    count = int(np.prod(shape))
    pairs = np.frombuffer(rng.bytes(2 * count), dtype=np.uint8).reshape(2, count)
    total = pairs[0].astype(np.float32) + pairs[1]
    noise: Field = ((total - 255.0) * np.float32(amount / 104.5)).reshape(shape)
    return noise


def relief(height: Field, light: tuple[float, float], *, strength: float = 1.0) -> Field:
    """How much brighter or darker slopes are; `height` in pixels, `light` points to the lamp."""
    across = np.diff(height, axis=1, prepend=height[:, :1])
    down = np.diff(height, axis=0, prepend=height[:1])
    return np.clip(-strength * (across * light[0] + down * light[1]), -0.6, 0.7)


def rounded_box(shape: tuple[int, int], *, inset: float, radius: float) -> Field:
    """Signed distance in pixels to a rounded rectangle `inset` from the edges; negative inside."""
    height, width = shape
    across = np.abs(np.arange(width, dtype=np.float32) + 0.5 - width / 2) - width / 2
    down = np.abs(np.arange(height, dtype=np.float32) + 0.5 - height / 2) - height / 2
    x, y = across[None, :] + inset + radius, down[:, None] + inset + radius
    outside = np.hypot(np.maximum(x, 0.0), np.maximum(y, 0.0))
    distance: Field = outside + np.minimum(np.maximum(x, y), 0.0) - np.float32(radius)
    return distance


def smooth(values: Field, low: float, high: float) -> Field:
    """0 below `low`, 1 above `high`, an S between; `low` above `high` turns it round."""
    step = np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    eased: Field = step * step * (np.float32(3.0) - np.float32(2.0) * step)
    return eased


def tinted(shade: Field, colour: Colour) -> Field:
    """(height, width, 3) of a brightness and a colour."""
    colours = np.empty((*shade.shape, 3), dtype=np.float32)
    for channel, part in enumerate(colour):
        np.multiply(shade, np.float32(part), out=colours[:, :, channel])
    return colours


def grey(values: Field) -> Field:
    """(height, width, 3), three times the same: numpy is slow where it must spread three itself."""
    height, width = values.shape
    return np.repeat(values, 3, axis=1).reshape(height, width, 3)


def picture(colours: Field, alpha: Field | None = None) -> Image.Image:
    """RGB, or RGBA with coverage `alpha` 0..1."""
    pixels = as_bytes(colours)
    if alpha is None:
        return Image.fromarray(pixels)
    return Image.fromarray(np.dstack([pixels, as_bytes(alpha)]))


def as_bytes(values: Field) -> NDArray[np.uint8]:
    scaled = values * np.float32(255.0)
    scaled += np.float32(0.5)
    np.clip(scaled, 0.0, 255.0, out=scaled)
    return scaled.astype(np.uint8)


def cylinder(
    rng: np.random.Generator, shape: tuple[int, int], colour: Colour, *, gloss: float
) -> Field:
    """(height, width, 3) of a pipe that lies across: lit from a bit above, `gloss` 0..1."""
    height = shape[0]
    t = np.linspace(-1.0, 1.0, height, dtype=np.float32)
    lamp = rng.uniform(-0.6, 0.2)
    diffuse = 0.28 + 0.78 * np.clip(
        t * lamp + np.sqrt(1.0 - t * t) * float(np.sqrt(1 - lamp * lamp)), 0, 1
    )
    rim = 0.12 * smooth(t, 0.7, 1.0)
    shine = gloss * np.exp(-(((t - lamp * 0.6) / rng.uniform(0.06, 0.2)) ** 2))
    streaks = clouds(rng, (height, 8), cell=max(height / 6, 2), octaves=2)[:, :1] * 0.05
    body = tinted(np.broadcast_to((diffuse + rim)[:, None] + streaks, shape), colour)
    lit: Field = body + shine[:, None, None]
    return lit


def worn(rng: np.random.Generator, colours: Field, *, amount: float, stain: Colour) -> Field:
    """The surface with grain and stains of the colour `stain`; `amount` 0..1."""
    shape = colours.shape[:2]
    blotches = clouds(rng, shape, cell=max(shape) / 3)
    share = smooth(blotches, 0.9 - 1.4 * amount, 1.7 - 1.2 * amount) * np.float32(0.75 * amount)
    dulled = (1.0 + np.float32(0.05) * blotches) * (1.0 - share)
    stained: Field = colours * grey(dulled) + tinted(share, stain)
    return stained


def light_of(rng: np.random.Generator) -> tuple[float, float]:
    """A direction in the photo that points to the lamp, mostly above; length 1."""
    angle = rng.normal(-np.pi / 2, 0.7)
    return float(np.cos(angle)), float(np.sin(angle))


def varied(rng: np.random.Generator, colour: Colour, spread: float = 0.06) -> Colour:
    """The colour, a little lighter or darker and a little off in hue."""
    shift = rng.normal(0.0, spread) + rng.normal(0.0, spread / 5, 3)
    red, green, blue = np.clip(np.array(colour) + shift, 0.0, 1.0)
    return float(red), float(green), float(blue)


def ink(colour: Colour) -> tuple[int, int, int]:
    """The colour as Pillow's drawing takes it."""
    red, green, blue = (round(255 * min(max(part, 0.0), 1.0)) for part in colour)
    return red, green, blue
