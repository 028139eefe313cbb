"""Boxes and frames: where pixels of the model's square lie in the upright photo, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open pixels: `left` and `top` are inside, `right` and `bottom` are the first outside."""

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError(f"a box holds at least one pixel, this one holds none: {self}")

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def area(self) -> int:
        return self.width * self.height

    def contains(self, other: Box) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def meets(self, other: Box) -> bool:
        """Whether the two have a pixel in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def padded(self, margin_px: int) -> Box:
        return Box(
            self.left - margin_px,
            self.top - margin_px,
            self.right + margin_px,
            self.bottom + margin_px,
        )

    def clipped(self, width: int, height: int) -> Box:
        """The part of this box that lies inside a picture of `width` by `height` pixels."""
        return Box(
            max(self.left, 0), max(self.top, 0), min(self.right, width), min(self.bottom, height)
        )


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How an upright photo of `width` by `height` lies in the model's square of `side` pixels.

    The longer side fills the square, the shorter one is centred and padded; nothing is stretched.
    """

    width: int
    height: int
    side: int

    @property
    def inner_width(self) -> int:
        return max(1, round(self.width * self.side / max(self.width, self.height)))

    @property
    def inner_height(self) -> int:
        return max(1, round(self.height * self.side / max(self.width, self.height)))

    @property
    def inner(self) -> Box:
        """Where the photo lies in the square; the rest is padding."""
        left = (self.side - self.inner_width) // 2
        top = (self.side - self.inner_height) // 2
        return Box(left, top, left + self.inner_width, top + self.inner_height)

    def to_photo(self, box: Box) -> Box:
        """The smallest box of photo pixels that covers `box`, which is in pixels of the square."""
        inner = self.inner
        across, down = self.width / inner.width, self.height / inner.height
        return Box(
            math.floor((box.left - inner.left) * across),
            math.floor((box.top - inner.top) * down),
            math.ceil((box.right - inner.left) * across),
            math.ceil((box.bottom - inner.top) * down),
        ).clipped(self.width, self.height)
