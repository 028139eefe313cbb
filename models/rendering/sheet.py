"""Drawing on a picture in the meter's own units instead of pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from models.rendering.lettering import Hand, Script, letters
from models.rendering.materials import Colour, ink

Span = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Sheet:
    """An RGB picture whose pixel (0, 0) lies at `origin` and whose unit is `scale` pixels."""

    image: Image.Image
    scale: float
    origin: tuple[float, float]

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.origin[0]) * self.scale, (y - self.origin[1]) * self.scale

    def pixels(self, span: Span) -> Span:
        left, top = self.pixel(span[0], span[1])
        right, bottom = self.pixel(span[2], span[3])
        return left, top, right, bottom

    def rectangle(self, span: Span, colour: Colour, *, radius: float = 0.0) -> None:
        ImageDraw.Draw(self.image).rounded_rectangle(
            self.pixels(span), radius * self.scale, fill=ink(colour)
        )

    def frame(self, span: Span, colour: Colour, *, pen: float, radius: float = 0.0) -> None:
        """The outline alone, `pen` units thick."""
        ImageDraw.Draw(self.image).rounded_rectangle(
            self.pixels(span), radius * self.scale, outline=ink(colour), width=self._pen(pen)
        )

    def disc(self, centre: tuple[float, float], radius: float, colour: Colour) -> None:
        x, y = centre
        ImageDraw.Draw(self.image).ellipse(
            self.pixels((x - radius, y - radius, x + radius, y + radius)), fill=ink(colour)
        )

    def ring(
        self, centre: tuple[float, float], radius: float, colour: Colour, *, pen: float
    ) -> None:
        x, y = centre
        span = self.pixels((x - radius, y - radius, x + radius, y + radius))
        ImageDraw.Draw(self.image).ellipse(span, outline=ink(colour), width=self._pen(pen))

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        ImageDraw.Draw(self.image).polygon([self.pixel(*p) for p in points], fill=ink(colour))

    def line(self, points: list[tuple[float, float]], colour: Colour, *, pen: float) -> None:
        ImageDraw.Draw(self.image).line(
            [self.pixel(*p) for p in points], fill=ink(colour), width=self._pen(pen)
        )

    def stamp(
        self, coverage: Image.Image, at: tuple[float, float], colour: Colour, *, centred: bool
    ) -> None:
        """Inks `coverage` (mode `L`, in pixels) with its left, or its centre, at the point `at`."""
        left, top = self.pixel(*at)
        if centred:
            left -= coverage.width / 2
        self.image.paste(ink(colour), (round(left), round(top - coverage.height / 2)), coverage)

    def write(
        self,
        text: str,
        at: tuple[float, float],
        *,
        cap: float,
        colour: Colour,
        hand: Hand,
        script: Script = Script.LATIN,
        centred: bool = False,
    ) -> None:
        """One line of print, `cap` units high, centred on the height of `at`."""
        if cap * self.scale >= 1.0:
            line = letters(text, cap * self.scale, hand=hand, script=script)
            self.stamp(line, at, colour, centred=centred)

    def _pen(self, pen: float) -> int:
        return max(round(pen * self.scale), 1)


def around(centre: tuple[float, float], radius: float, angle: float) -> tuple[float, float]:
    """The point at `angle` radians, clockwise from three o'clock."""
    return centre[0] + radius * float(np.cos(angle)), centre[1] + radius * float(np.sin(angle))
