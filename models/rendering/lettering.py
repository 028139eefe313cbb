"""Print on plates: words, numbers, barcodes, and scripts that the bundled font does not hold.

Pillow brings one Latin font. Other scripts are drawn so that they look right from a step away:
Cyrillic and Greek capitals by turning Latin ones over (a small letter in the text stands for its
capital mirrored, or upside down for `l` and `v`), Han characters as strokes in a square.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CAP_SHARE = 0.72
"""Height of the font's capitals as a share of its size."""
UPSIDE_DOWN = "lv"


class Script(StrEnum):
    LATIN = "latin"
    TURNED = "turned"
    HAN = "han"


@dataclass(frozen=True, slots=True)
class Hand:
    """How letters are cut: their width, weight and slant, each as a share of the normal one."""

    width: float = 1.0
    weight: float = 0.0
    slant: float = 0.0


def hand_of(rng: np.random.Generator) -> Hand:
    """Condensed or wide, light or bold, sometimes slanted."""
    slant = rng.uniform(0.1, 0.3) if rng.random() < 0.15 else 0.0
    return Hand(float(rng.uniform(0.68, 1.1)), float(rng.uniform(0.0, 0.09)), float(slant))


def letters(
    text: str, cap_height: float, *, hand: Hand, script: Script = Script.LATIN
) -> Image.Image:
    """Coverage, mode `L`, of one line whose capitals are `cap_height` pixels high."""
    match script:
        case Script.LATIN:
            line = _latin(text, cap_height, hand)
        case Script.TURNED:
            glyphs = [_turned(letter, cap_height, hand) for letter in text]
            line = _in_a_row(glyphs, gap=0)
        case Script.HAN:
            glyphs = [_han(ord(letter), max(round(cap_height * 1.2), 4)) for letter in text]
            line = _in_a_row(glyphs, gap=max(round(cap_height * 0.12), 1))
    width = max(round(line.width * hand.width), 1)
    line = line.resize((width, line.height), Image.Resampling.BILINEAR)
    return _slanted(line, hand.slant) if hand.slant else line


def barcode(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Coverage, mode `L`, of the dark bars."""
    width, height = size
    bars = np.repeat(rng.random(rng.integers(30, 60)) < 0.5, 1)
    row = Image.fromarray((bars * 255).astype(np.uint8)[None, :])
    return row.resize((max(width, 1), max(height, 1)), Image.Resampling.BOX)


@lru_cache(maxsize=256)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _latin(text: str, cap_height: float, hand: Hand) -> Image.Image:
    """A superscript three is drawn as a small raised one, for the font has none."""
    size = max(round(cap_height / CAP_SHARE), 4)
    stroke = round(hand.weight * cap_height)
    pieces: list[tuple[int, str, int]] = []
    at = stroke
    for index, piece in enumerate(text.split("³")):
        if index:
            pieces.append((at, "3", max(round(size * 0.62), 4)))
            at += round(_font(pieces[-1][2]).getlength("3"))
        pieces.append((at, piece, size))
        at += round(_font(size).getlength(piece))
    line = Image.new("L", (at + stroke + 1, round(size * 1.1) + 2 * stroke))
    draw = ImageDraw.Draw(line)
    for left, piece, piece_size in pieces:
        draw.text((left, stroke), piece, 255, font=_font(piece_size), stroke_width=stroke)
    return line


def _turned(letter: str, cap_height: float, hand: Hand) -> Image.Image:
    glyph = _latin(letter.upper(), cap_height, hand)
    if not letter.islower():
        return glyph
    if letter not in UPSIDE_DOWN:
        return glyph.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    box = glyph.getbbox() or (0, 0, *glyph.size)
    turned = glyph.crop(box).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    glyph.paste(turned, box[:2])
    return glyph


def _han(code: int, side: int) -> Image.Image:
    """Horizontal and vertical strokes, a box and a dash, the same for the same code."""
    rng = np.random.default_rng(code)
    glyph = Image.new("L", (side, side))
    draw = ImageDraw.Draw(glyph)
    pen = max(round(side / 11), 1)
    for y in rng.choice(np.linspace(0.1, 0.9, 6), rng.integers(2, 5), replace=False):
        left, right = rng.uniform(0.05, 0.3), rng.uniform(0.7, 0.95)
        draw.line((left * side, y * side, right * side, y * side), 255, pen)
    for x in rng.choice(np.linspace(0.2, 0.8, 4), rng.integers(1, 3), replace=False):
        draw.line((x * side, rng.uniform(0, 0.3) * side, x * side, side * 0.95), 255, pen)
    if rng.random() < 0.5:
        draw.rectangle((0.2 * side, 0.45 * side, 0.8 * side, 0.9 * side), outline=255, width=pen)
    draw.line((0.5 * side, 0.5 * side, rng.uniform(0, 1) * side, 0.95 * side), 255, pen)
    return glyph


def _in_a_row(glyphs: list[Image.Image], *, gap: int) -> Image.Image:
    width = sum(glyph.width + gap for glyph in glyphs)
    line = Image.new("L", (max(width, 1), max((g.height for g in glyphs), default=1)))
    at = 0
    for glyph in glyphs:
        line.paste(glyph, (at, 0))
        at += glyph.width + gap
    return line


def _slanted(line: Image.Image, slant: float) -> Image.Image:
    reach = round(slant * line.height)
    return line.transform(
        (line.width + reach, line.height),
        Image.Transform.AFFINE,
        (1, slant, -reach, 0, 1, 0),
        Image.Resampling.BILINEAR,
    )
