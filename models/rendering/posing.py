"""Where the camera stands: how large, how tilted and at which place a meter is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np

from models.rendering.camera import Panel, Part, Points, Pose, rotation, signed_area
from models.rendering.counter import Counter
from models.rendering.sheet import Span

SMALLEST_SHARE, LARGEST_SHARE = 0.006, 0.2
"""Of the photo's pixels, that the counter's window fills."""
WIDEST = 0.86
"""Of the photo's side, that the counter may reach over."""


class Difficulty(StrEnum):
    PLAIN = "plain"
    """Well lit, nearly straight, sharp and clean."""
    FIELD = "field"
    """Everything that phones bring home."""


class Meter(Protocol):
    """A meter as designed; it is painted once its pose, and so its resolution, is known."""

    @property
    def counter(self) -> Counter: ...

    @property
    def aim(self) -> tuple[float, float]:
        """What a photographer would centre, in counter widths from the counter's centre."""

    @property
    def outline(self) -> Points:
        """The case's edge (n, 3), clockwise."""

    def behind(self, rng: np.random.Generator, *, scale: float) -> list[Panel]:
        """What the meter hangs on."""

    def parts(
        self, rng: np.random.Generator, *, scale: float, light: tuple[float, float], dirt: float
    ) -> list[Part]:
        """From back to front; `scale` is texture pixels a unit, `dirt` is 0..1."""


@dataclass(frozen=True, slots=True)
class Place:
    """The part of the photo that a meter gets, in pixels, and how it is to lie there."""

    span: Span
    difficulty: Difficulty
    alone: bool
    cut: bool


def pose_of(rng: np.random.Generator, meter: Meter, place: Place) -> Pose:
    """A random pose in which the counter, unless it is to be cut, lies whole inside the place."""
    turned = Pose(
        _rotation(rng, place.difficulty),
        float(rng.uniform(0.06, 0.16 if place.difficulty is Difficulty.PLAIN else 0.32)),
        1.0,
        (0.0, 0.0),
    )
    sized = replace(turned, scale=_scale(rng, turned, meter, place))
    return _placed(rng, sized, meter, place)


def _rotation(rng: np.random.Generator, difficulty: Difficulty) -> Points:
    """Upright and nearly frontal, or in the field from any side and turned any way."""
    if difficulty is Difficulty.PLAIN:
        yaw, pitch = np.clip(rng.normal(0.0, 0.1, 2), -0.25, 0.25)
        return rotation(yaw=float(yaw), pitch=float(pitch), roll=float(rng.normal(0.0, 0.05)))
    yaw, pitch = np.clip(rng.normal(0.0, 0.26, 2), -0.65, 0.65)
    roll = rng.normal(0.0, 0.12)
    chance = rng.random()
    if chance > 0.85:
        roll = rng.uniform(-np.pi, np.pi)
    elif chance > 0.7:
        roll += rng.integers(1, 4) * np.pi / 2
    return rotation(yaw=float(yaw), pitch=float(pitch), roll=float(roll))


def _scale(rng: np.random.Generator, pose: Pose, meter: Meter, place: Place) -> float:
    """From the share of the pixels that the counter is to fill, within what fits."""
    left, top, right, bottom = place.span
    room = np.array([right - left, bottom - top])
    corners = np.concatenate(meter.counter.windows)
    area = sum(signed_area(pose.project(window)) for window in meter.counter.windows[:1])
    spread = 0.35 if place.difficulty is Difficulty.PLAIN else 0.75
    share = float(np.exp(rng.normal(np.log(0.026), spread)))
    share = float(np.clip(share, SMALLEST_SHARE, LARGEST_SHARE))
    counter_fits = _fitting(pose.project(corners), room, WIDEST)
    scale = min(float(np.sqrt(share * np.prod(room) / area)), counter_fits)
    if place.difficulty is Difficulty.PLAIN or not place.alone:
        case_fits = _fitting(pose.project(meter.outline), room, 1.0 if place.alone else 0.92)
        # In a very long photo the case may not fit: what matters is that the counter is large.
        smallest = float(np.sqrt(SMALLEST_SHARE * np.prod(room) / area)) if place.alone else 0.0
        scale = min(max(case_fits, min(smallest, counter_fits)), scale)
    return scale


def _fitting(points: Points, room: Points, share: float) -> float:
    """The scale at which the points reach over `share` of the room in one direction."""
    return share * float(np.min(room / np.ptp(points, axis=0)))


def _placed(rng: np.random.Generator, pose: Pose, meter: Meter, place: Place) -> Pose:
    """Shifted so that the meter's middle is about the place's, and the counter inside it."""
    left, top, right, bottom = place.span
    room = np.array([right - left, bottom - top])
    middle = np.array([left + right, top + bottom]) / 2
    wander = 0.02 if place.difficulty is Difficulty.PLAIN else 0.08
    aim = pose.project(np.array([[*meter.aim, 0.0]]))[0]
    shift = middle + rng.normal(0.0, wander, 2) * room - aim
    counter = pose.project(np.concatenate(meter.counter.windows))
    if place.cut:
        shift = _cut_shift(rng, counter, place.span, shift)
    else:
        lowest = np.array([left, top]) + 0.04 * room - counter.min(axis=0)
        highest = np.array([right, bottom]) - 0.04 * room - counter.max(axis=0)
        shift = np.clip(shift, lowest, np.maximum(highest, lowest))
    return replace(pose, shift=(float(shift[0]), float(shift[1])))


def _cut_shift(rng: np.random.Generator, counter: Points, span: Span, shift: Points) -> Points:
    """The shift with which a quarter to a half of the counter lies beyond one border."""
    low, high = counter.min(axis=0), counter.max(axis=0)
    axis = int(rng.integers(2))
    beyond = float(rng.uniform(0.25, 0.5)) * (high[axis] - low[axis])
    start, end = span[axis], span[axis + 2]
    cut = shift.copy()
    cut[axis] = start - low[axis] - beyond if rng.random() < 0.5 else end - high[axis] + beyond
    other = 1 - axis
    cut[other] = np.clip(
        cut[other], span[other] - low[other] + 4, span[other + 2] - high[other] - 4
    )
    return cut
