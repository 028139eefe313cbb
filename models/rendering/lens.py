"""From the lit scene to a phone's file: light, shadows, glare, blur, colour and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from models.rendering.materials import (
    Colour,
    Field,
    clouds,
    grain,
    grey,
    picture,
    resized,
    smooth,
    tinted,
)

SLIGHT_BLUR = (1, 6, 1, 6, 36, 6, 1, 6, 1)
NOISE_PX = 256
"""Side of the tile of noise that covers a photo, each time shifted."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the photo was taken."""

    flash: float
    """How much of the light is the phone's own lamp, 0..1."""
    brightness: float
    warmth: float
    """Above 0 for lamplight, below for shade."""
    haze: float
    glare: float
    shadow: float
    blur: float
    """Radius as a share of the longer side."""
    motion: float
    """Length of the shake as a share of the longer side."""
    noise: float


def plain_exposure(rng: np.random.Generator) -> Exposure:
    """A steady hand in good light."""
    return Exposure(
        flash=float(rng.uniform(0.0, 0.35)),
        brightness=float(rng.normal(1.1, 0.06)),
        warmth=float(rng.normal(0.0, 0.03)),
        haze=0.0,
        glare=0.0,
        shadow=float(rng.uniform(0.0, 0.25)),
        blur=0.0009,
        motion=0.0,
        noise=float(rng.uniform(0.006, 0.016)),
    )


def field_exposure(rng: np.random.Generator) -> Exposure:
    """Shafts, cellars and haste: from near black to burnt out, shaken, foggy, grainy."""
    shaken, soft = rng.random() < 0.15, rng.random() < 0.25
    dark = rng.random() < 0.12
    return Exposure(
        flash=float(rng.uniform(0.5, 1.0)) if rng.random() < 0.5 else float(rng.uniform(0.0, 0.3)),
        brightness=float(np.exp(rng.normal(-0.9 if dark else 0.0, 0.3))),
        warmth=float(rng.normal(0.05, 0.13)),
        haze=float(rng.uniform(0.1, 0.4)) if rng.random() < 0.15 else 0.0,
        glare=float(rng.uniform(0.15, 0.8)) if rng.random() < 0.3 else 0.0,
        shadow=float(rng.uniform(0.2, 0.7)) if rng.random() < 0.5 else 0.0,
        blur=float(rng.uniform(0.001, 0.0055)) if soft else 0.001,
        motion=float(rng.uniform(0.004, 0.018)) if shaken else 0.0,
        noise=float(0.006 + 0.03 * rng.random() ** 2),
    )


def exposed(rng: np.random.Generator, scene: Image.Image, exposure: Exposure) -> Image.Image:
    """The scene as the lens and its sensor see it, before noise; the same size."""
    shape = (scene.height, scene.width)
    lit = tinted(_illumination(rng, shape, exposure), _cast(exposure.warmth, rng))
    lit *= np.asarray(scene)
    if exposure.glare > 0.0:
        lit += grey(_glare(rng, shape, exposure.glare))
    if exposure.haze > 0.0:
        lit = lit * (1.0 - exposure.haze) + exposure.haze * 0.7
    return _blurred(rng, picture(_shoulder(lit)), exposure)


def noisy(rng: np.random.Generator, photo: Image.Image, exposure: Exposure) -> Image.Image:
    """Sensor noise, more in the shadows, partly in blotches as noise reduction leaves it."""
    tile = _noise_tile(rng, exposure.noise)
    result = np.empty((photo.height, photo.width, 3), dtype=np.uint8)
    pixels = np.asarray(photo)
    for top in range(0, photo.height, NOISE_PX):
        for left in range(0, photo.width, NOISE_PX):
            area = np.s_[top : top + NOISE_PX, left : left + NOISE_PX]
            piece = pixels[area]
            turned = np.roll(tile, int(rng.integers(NOISE_PX)), axis=1)
            noise = turned[: piece.shape[0], : piece.shape[1]]
            weight = np.float32(1.15) - piece[:, :, 1:2] * np.float32(0.6 / 255)
            noisy_piece = noise * weight
            noisy_piece += piece
            result[area] = np.clip(noisy_piece, 0.0, 255.0, out=noisy_piece)
    return Image.fromarray(result)


def _noise_tile(rng: np.random.Generator, amount: float) -> Field:
    """(NOISE_PX, NOISE_PX, 3) in steps of a byte: fine grey grain over coarse coloured blotches."""
    half = NOISE_PX // 2
    blotches = grain(rng, (half, half, 3), 255.0 * amount) + np.float32(128.0)
    rough = Image.fromarray(np.clip(blotches, 0, 255).astype(np.uint8))
    coarse = np.asarray(rough.resize((NOISE_PX, NOISE_PX), Image.Resampling.BILINEAR))
    return coarse - np.float32(128.0) + grain(rng, (NOISE_PX, NOISE_PX, 1), 255.0 * amount * 0.7)


def _illumination(rng: np.random.Generator, shape: tuple[int, int], exposure: Exposure) -> Field:
    """Room light that falls off to one side, the flash's bright middle, soft shadows, vignette."""
    small = (max(shape[0] // 12, 8), max(shape[1] // 12, 8))
    longer = max(small)
    y = (np.arange(small[0], dtype=np.float32)[:, None] - small[0] / 2) / longer
    x = (np.arange(small[1], dtype=np.float32)[None, :] - small[1] / 2) / longer
    angle = rng.uniform(0, 2 * np.pi)
    room = 1.0 + rng.uniform(0.0, 0.5) * (np.cos(angle) * x + np.sin(angle) * y)
    spot = rng.normal(0, 0.07, 2)
    away = (x - spot[0]) ** 2 + (y - spot[1]) ** 2
    flash = 1.25 / (1.0 + away * rng.uniform(4.0, 16.0))
    light = room * (1.0 - exposure.flash) + flash * exposure.flash
    light *= 1.0 - 0.35 * (x * x + y * y)
    if exposure.shadow > 0.0:
        light *= 1.0 - exposure.shadow * _soft_shadow(rng, small)
    return resized((light * exposure.brightness).astype(np.float32), shape)


def _soft_shadow(rng: np.random.Generator, shape: tuple[int, int]) -> Field:
    """Of the person, or of things beside: a wavy edge across the photo."""
    angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.4)
    y = np.arange(shape[0], dtype=np.float32)[:, None] / max(shape) - 0.5
    x = np.arange(shape[1], dtype=np.float32)[None, :] / max(shape) - 0.5
    edge = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) + np.float32(offset)
    edge = edge + 0.08 * clouds(rng, shape, cell=max(shape) / 2, octaves=2)
    return smooth(edge, 0.0, float(rng.uniform(0.05, 0.3)))


def _glare(rng: np.random.Generator, shape: tuple[int, int], amount: float) -> Field:
    """One or two bright spots with a halo, as a lamp makes on glass."""
    small = (max(shape[0] // 4, 16), max(shape[1] // 4, 16))
    y = np.arange(small[0], dtype=np.float32)[:, None] / max(small)
    x = np.arange(small[1], dtype=np.float32)[None, :] / max(small)
    total = np.zeros(small, dtype=np.float32)
    for _ in range(int(rng.integers(1, 3))):
        middle = rng.normal(0.5, 0.13, 2) * (small[1], small[0]) / max(small)
        reach = rng.uniform(0.012, 0.07)
        away = (x - middle[0]) ** 2 + ((y - middle[1]) * rng.uniform(0.6, 1.6)) ** 2
        core = np.exp(-away / (2 * reach**2))
        halo = 0.25 * np.exp(-np.sqrt(away) / (reach * 3.5))
        total += (amount * (core + halo)).astype(np.float32)
    return resized(total, shape)


def _cast(warmth: float, rng: np.random.Generator) -> Colour:
    """What each channel is multiplied with to get from bytes to the light of 0..1."""
    green = float(rng.normal(0.0, 0.008 + 0.1 * abs(warmth)))
    return (1.0 + warmth) / 255.0, (1.0 + green) / 255.0, (1.0 - 1.4 * warmth) / 255.0


def _shoulder(lit: Field) -> Field:
    """Bright tones roll off instead of clipping hard."""
    knee, slope = np.float32(0.78), np.float32(0.4)
    rolled: Field = np.minimum(lit, lit * slope + knee * (1 - slope))
    return rolled


def _blurred(rng: np.random.Generator, image: Image.Image, exposure: Exposure) -> Image.Image:
    longer = max(image.size)
    radius = max(exposure.blur * longer, 0.5)
    # Up to here a Gaussian is three pixels wide, which a small kernel does in half the time.
    small = radius <= 0.6
    soft = image.filter(
        ImageFilter.Kernel((3, 3), SLIGHT_BLUR) if small else ImageFilter.GaussianBlur(radius)
    )
    if exposure.motion * longer < 1.0:
        return soft
    return _shaken(soft, length=exposure.motion * longer, angle=float(rng.uniform(0, np.pi)))


def _shaken(image: Image.Image, *, length: float, angle: float) -> Image.Image:
    """The mean of the image along a short straight path."""
    steps = min(max(round(length), 2), 12)
    reach = round(length / 2) + 1
    padded = np.pad(np.asarray(image), ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total = np.zeros((image.height, image.width, 3), dtype=np.float32)
    for along in np.linspace(-0.5, 0.5, steps):
        top = reach + round(along * length * np.sin(angle))
        left = reach + round(along * length * np.cos(angle))
        total += padded[top : top + image.height, left : left + image.width]
    return Image.fromarray((total / steps).astype(np.uint8))
