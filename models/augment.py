"""One random view of a training square: warped, covered, doubled, lit and compressed as phones do.

`plain_view` changes it as little as a paper says. All randomness comes from the generator that is
passed in, so a seed repeats a view exactly.
"""

from __future__ import annotations

import io
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from models.datasets import Square
from service.imaging.letterbox import PADDING_GREY

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]  # (n, 2) or (2,): x, y
View = tuple[Pixels, Pixels]  # (side, side, 3) and (side, side), mask 0 or 255


class Augmentation(StrEnum):
    """`phones` is `view`. Chen et al. flip alone, Liao et al. change light and add noise too."""

    PHONES = "phones"
    NONE = "none"
    FLIPS = "flips"
    FLIPS_LIGHT_NOISE = "flips, light, noise"


COVERED_SHARE = 0.05
TURNED_SHARE = 0.4
"""Of the views: half of these lie on a side or upside down, half at any angle."""
DOUBLED_SHARE = 0.04
WITHOUT_REGION_SHARE = 0.08
LIAO_SHARE = 0.1
"""Of the views, for light and for noise each."""
LIAO_NOISE = 0.05
"""Standard deviation, of 0..1; the report does not say it."""


def view(
    square: Square,
    other: Square,
    *,
    window: int,
    side: int,
    rng: np.random.Generator,
    turned_share: float = TURNED_SHARE,
    covered_share: float = COVERED_SHARE,
) -> View:
    """A `window` by `window` cut of the photo, drawn at the scale of a square of `side` pixels."""
    pixels, mask = square.pixels, square.mask
    if rng.random() < covered_share:
        pixels, mask = covered(pixels, mask, rng)
    if rng.random() < DOUBLED_SHARE:
        pixels, mask = doubled(pixels, mask, other, rng)
    pixels, mask = warped(
        pixels, mask, window=window, side=side, rng=rng, turned_share=turned_share
    )
    return compressed(lit(blurred(pixels, rng), rng), rng), mask


def plain_view(
    square: Square, kind: Augmentation, *, window: int, side: int, rng: np.random.Generator
) -> View:
    """As `view`, but neither turned nor scaled nor bent; a whole square stays where it is."""
    source = square.pixels.shape[0]
    if window < side:
        centre = _centre_of_view(square.mask, window=window, side=side, rng=rng)
    else:
        centre = np.full(2, source / 2)
    mirrored = kind is not Augmentation.NONE and rng.random() < 0.5
    corners = _corners(window)
    there = _in_source(
        corners, window, centre, scale=side / source, mirror=-1.0 if mirrored else 1.0
    )
    pixels, mask = _resampled(square.pixels, square.mask, window=window, here=corners, there=there)
    if kind is Augmentation.FLIPS_LIGHT_NOISE:
        pixels = _lit_as_liao(pixels, rng)
    return pixels, mask


def covered(pixels: Pixels, mask: Pixels, rng: np.random.Generator) -> View:
    """The counter hidden behind a plain patch: a case without a reading is no region."""
    if not mask.any():
        return pixels, mask
    rows, columns = np.nonzero(mask)
    grown = 2 + int(rng.integers(0, 6))
    area = np.s_[
        max(rows.min() - grown, 0) : rows.max() + grown,
        max(columns.min() - grown, 0) : columns.max() + grown,
    ]
    hidden = pixels.copy()
    patch = hidden[area]
    tone = patch.reshape(-1, 3)[rng.integers(0, patch.shape[0] * patch.shape[1])]
    grain = rng.normal(0, rng.uniform(1, 12), patch.shape)
    hidden[area] = np.clip(tone + grain, 0, 255).astype(np.uint8)
    return hidden, np.zeros_like(mask)


def doubled(pixels: Pixels, mask: Pixels, other: Square, rng: np.random.Generator) -> View:
    """Two meters in one photo, side by side or one above the other."""
    half = pixels.shape[0] // 2
    both, masks = np.full_like(pixels, PADDING_GREY), np.zeros_like(mask)
    across = rng.random() < 0.5
    for index, (image, region) in enumerate(((pixels, mask), (other.pixels, other.mask))):
        small = np.asarray(Image.fromarray(image).resize((half, half), Image.Resampling.BILINEAR))
        region_small = np.asarray(
            Image.fromarray(region).resize((half, half), Image.Resampling.BOX)
        )
        top, left = (half // 2, index * half) if across else (index * half, half // 2)
        both[top : top + half, left : left + half] = small
        masks[top : top + half, left : left + half] = (region_small >= 128) * np.uint8(255)
    return both, masks


def warped(
    pixels: Pixels,
    mask: Pixels,
    *,
    window: int,
    side: int,
    rng: np.random.Generator,
    turned_share: float = TURNED_SHARE,
) -> View:
    """Rotation, scale, mirror and perspective in one resampling."""
    source = pixels.shape[0]
    centre = _centre_of_view(mask, window=window, side=side, rng=rng)
    scale = float(np.exp(rng.normal(0.0, 0.25))) * side / source  # output pixels per source pixel
    angle = _angle(rng, turned_share)
    mirror = -1.0 if rng.random() < 0.25 else 1.0
    corners = _corners(window)
    lens = corners + rng.normal(0.0, 0.04 * window, corners.shape)
    there = _in_source(lens, window, centre, scale=scale, angle=angle, mirror=mirror)
    return _resampled(pixels, mask, window=window, here=corners, there=there)


def _corners(window: int) -> Points:
    return np.array([[0, 0], [window, 0], [window, window], [0, window]], dtype=float)


def _in_source(
    points: Points, window: int, centre: Points, *, scale: float, angle: float = 0.0, mirror: float
) -> Points:
    """Where `points` of the view lie in a source of which it shows `centre` in its middle."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    there: Points = ((points - window / 2) * [mirror, 1.0] / scale) @ turn.T + centre
    return there


def _resampled(pixels: Pixels, mask: Pixels, *, window: int, here: Points, there: Points) -> View:
    coefficients = _homography(here, there)
    size = (window, window)
    image = Image.fromarray(pixels).transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR,
        fillcolor=(PADDING_GREY,) * 3,
    )  # fmt: skip
    region = Image.fromarray(mask).transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(image), (np.asarray(region) >= 128).astype(np.uint8) * 255


def _centre_of_view(
    mask: Pixels, *, window: int, side: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    source = mask.shape[0]
    if window >= side:
        return rng.normal(source / 2, 0.08 * source, 2)
    if not mask.any() or rng.random() < WITHOUT_REGION_SHARE:
        return rng.uniform(0.2 * source, 0.8 * source, 2)
    rows, columns = np.nonzero(mask)
    reach = 0.35 * window / side * source
    region = np.array([columns.mean(), rows.mean()], dtype=np.float64)
    shifted: NDArray[np.float64] = np.add(region, rng.uniform(-reach, reach, 2))
    return shifted


def _angle(rng: np.random.Generator, turned_share: float) -> float:
    chance = rng.random()
    if chance < 1.0 - turned_share:
        return float(rng.normal(0.0, np.radians(9)))
    if chance < 1.0 - turned_share / 2:
        return float(rng.integers(1, 4) * np.pi / 2 + rng.normal(0.0, np.radians(9)))
    return float(rng.uniform(0.0, 2 * np.pi))


def _homography(here: NDArray[np.float64], there: NDArray[np.float64]) -> list[float]:
    """The eight coefficients that Pillow's PERSPECTIVE takes: output `here` from source `there`."""
    rows = []
    for (x, y), (u, v) in zip(here, there, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    return [float(c) for c in np.linalg.solve(np.array(rows), there.reshape(8))]


def blurred(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() > 0.25:
        return pixels
    radius = rng.uniform(0.3, 1.6)
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def lit(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Exposure, contrast, gamma, colour cast, a soft glare or shadow, and noise."""
    tone = np.linspace(0.0, 1.0, 256) ** np.exp(rng.normal(0.0, 0.25))
    tone = (tone - 0.5) * np.exp(rng.normal(0.0, 0.2)) + 0.5 + rng.normal(0.0, 0.08)
    tones = np.outer(np.exp(rng.normal(0.0, 0.08, 3)), tone).astype(np.float32)
    channels = [tones[c].take(pixels[:, :, c]) for c in range(3)]
    light: NDArray[np.float32] = np.stack(channels, axis=2)
    if rng.random() < 0.08:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.3:
        light = light + _spot(pixels.shape[0], rng)[:, :, None]
    if rng.random() < 0.3:
        grain = np.float32(rng.uniform(0.005, 0.05))
        light = light + grain * rng.standard_normal(light.shape, np.float32)
    return (np.clip(light, 0.0, 1.0) * 255).astype(np.uint8)


def _lit_as_liao(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Brightness by 0.9 to 1.1 and noise of a normal distribution, both cut to 0..1."""
    light = pixels.astype(np.float32) / 255.0
    if rng.random() < LIAO_SHARE:
        light = np.clip(light * rng.uniform(0.9, 1.1), 0.0, 1.0)
    if rng.random() < LIAO_SHARE:
        light = np.clip(light + rng.normal(0.0, LIAO_NOISE, light.shape), 0.0, 1.0)
    return np.round(light * 255).astype(np.uint8)


def _spot(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    centre, reach = rng.uniform(0, side, 2), rng.uniform(0.05, 0.5, 2) * side
    distance = ((columns - centre[0]) / reach[0]) ** 2 + ((rows - centre[1]) / reach[1]) ** 2
    light: NDArray[np.float32] = rng.uniform(-0.5, 0.8) * np.exp(-distance)
    return light


def compressed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() > 0.3:
        return pixels
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(25, 95)))
    return np.asarray(Image.open(buffer))
