"""What holds the reading: its looks, its size in the meter's frame, and its picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.rendering.camera import Points, rectangle
from models.rendering.lettering import Hand
from models.rendering.materials import Colour, varied


class Display(StrEnum):
    DRUMS = "drums"
    LCD = "lcd"


@dataclass(frozen=True, slots=True)
class Counter:
    """One unit wide, its centre at the origin; `height` in units as well."""

    display: Display
    whole: str
    decimals: str
    roll: float
    """How far the last drum has turned past its digit, 0..1."""
    height: float
    last_height: float
    """The last drum's window is often taller, so that its ticks can be read."""
    gap: float
    """Between two windows, as a share of the pitch of the drums."""
    ground: Colour
    figure: Colour
    decimal_ground: Colour
    decimal_figure: Colour
    between: Colour
    """What is seen between the windows."""
    hand: Hand
    digit_share: float
    """Height of a digit as a share of the window's."""

    @property
    def reading(self) -> str:
        return f"{self.whole}.{self.decimals}" if self.decimals else self.whole

    @property
    def digits(self) -> str:
        return self.whole + self.decimals

    @property
    def pitch(self) -> float:
        """From one drum to the next, in units."""
        return 1.0 / len(self.digits)

    @property
    def windows(self) -> tuple[Points, ...]:
        """Corners (4, 3) of the rectangles that the reading fills."""
        row = rectangle(-0.5, -self.height / 2, 0.5, self.height / 2)
        if self.last_height <= self.height:
            return (row,)
        half = self.last_height / 2
        return row, rectangle(0.5 - self.pitch, -half, 0.5, half)


BLACK: Colour = (0.06, 0.06, 0.07)
WHITE: Colour = (0.9, 0.9, 0.88)
RED: Colour = (0.75, 0.1, 0.11)

LOOKS: dict[str, tuple[Colour, Colour, Colour, Colour]] = {
    # ground, figure, decimal ground, decimal figure
    "white, red digits": (WHITE, BLACK, WHITE, RED),
    "white, red drums": (WHITE, BLACK, RED, WHITE),
    "black, red drums": (BLACK, WHITE, RED, WHITE),
    "black, red frame": (BLACK, WHITE, BLACK, WHITE),
    "black, red digits": (BLACK, WHITE, WHITE, RED),
}


def drum_counter(
    rng: np.random.Generator, *, looks: dict[str, float], whole: int, decimals: int
) -> Counter:
    """Random drums of `whole` and `decimals` digits; `looks` weighs the names in LOOKS."""
    chances = np.array(list(looks.values())) / sum(looks.values())
    ground, figure, decimal_ground, decimal_figure = LOOKS[str(rng.choice(list(looks), p=chances))]
    aspect = rng.uniform(1.05, 1.75)  # height of a window over its pitch
    height = aspect / (whole + decimals)
    taller = rng.uniform(1.1, 1.35) if rng.random() < 0.4 else 1.0
    between = ground if rng.random() < 0.35 else (0.2, 0.2, 0.2) if rng.random() < 0.5 else WHITE
    return Counter(
        display=Display.DRUMS,
        whole=_digits(rng, whole, leading_zeros=True),
        decimals=_digits(rng, decimals, leading_zeros=False),
        roll=float(rng.random()),
        height=float(height),
        last_height=float(height * taller),
        gap=float(rng.uniform(0.03, 0.26)),
        ground=varied(rng, ground, 0.03),
        figure=varied(rng, figure, 0.04),
        decimal_ground=varied(rng, decimal_ground, 0.03),
        decimal_figure=varied(rng, decimal_figure, 0.04),
        between=varied(rng, between, 0.04),
        hand=Hand(float(rng.uniform(0.6, 0.95)), float(rng.uniform(0.0, 0.14))),
        digit_share=float(rng.uniform(0.48, 0.7)),
    )


def lcd_counter(rng: np.random.Generator) -> Counter:
    """Five to eight seven-segment digits on a grey-green, amber or blue-lit glass."""
    ground, figure = _glass(rng)
    decimals = int(rng.integers(0, 4))
    whole = int(rng.integers(4, 7))
    height = rng.uniform(1.9, 2.9) / (whole + decimals)
    return Counter(
        display=Display.LCD,
        whole=_digits(rng, whole, leading_zeros=True),
        decimals=_digits(rng, decimals, leading_zeros=False),
        roll=0.0,
        height=float(height),
        last_height=float(height),
        gap=0.0,
        ground=varied(rng, ground, 0.04),
        figure=varied(rng, figure, 0.03),
        decimal_ground=ground,
        decimal_figure=figure,
        between=ground,
        hand=Hand(1.0, float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.0, 0.15))),
        digit_share=float(rng.uniform(0.5, 0.68)),
    )


def _glass(rng: np.random.Generator) -> tuple[Colour, Colour]:
    chance = rng.random()
    if chance < 0.7:
        return (0.58, 0.63, 0.54), (0.1, 0.12, 0.12)
    if chance < 0.85:
        return (0.72, 0.78, 0.4), (0.12, 0.14, 0.08)
    return (0.12, 0.3, 0.75), (0.9, 0.94, 1.0)


def _digits(rng: np.random.Generator, count: int, *, leading_zeros: bool) -> str:
    """Readings grow from zero: most begin with zeros."""
    zeros = int(rng.integers(0, max(count - 1, 1))) if leading_zeros else 0
    return "0" * zeros + "".join(str(d) for d in rng.integers(0, 10, count - zeros))
