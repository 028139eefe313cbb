"""The figure of masks: photos across, above all the truth, then what each row found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.comparison.scenes import Scene
from models.metrics import agreement

CELL_PX = 176
"""Width of a photo in the figure."""
CAPTION_PX = 210
GAP_PX = 6
TEXT_PX = 16
PAPER, INK, PALE = (255, 255, 255), (25, 25, 25), (110, 110, 110)
TRUE_COLOUR, FOUND_COLOUR = (0, 190, 150), (255, 150, 0)
DIMMED = 0.42
"""Brightness left of what lies outside of a mask."""

Mask = NDArray[np.bool_]  # (height, width)


class Line(NamedTuple):
    """One row of the figure: a mask for each photo."""

    caption: str
    masks: Sequence[Mask]


def figure(scenes: Sequence[Scene], lines: Sequence[Line]) -> Image.Image:
    """Under each mask of `lines` stands its Dice coefficient, in per cent."""
    cell_height = round(CELL_PX * scenes[0].picture.height / scenes[0].picture.width)
    size, across, down = (CELL_PX, cell_height), CELL_PX + GAP_PX, cell_height + GAP_PX
    top = TEXT_PX + 2 * GAP_PX
    sheet = Image.new(
        "RGB",
        (CAPTION_PX + len(scenes) * across, top + (len(lines) + 2) * down),
        PAPER,
    )
    write = ImageDraw.Draw(sheet)
    truth = Line("truth", [scene.truth for scene in scenes])
    for column, scene in enumerate(scenes):
        left = CAPTION_PX + column * across
        title = "no meter" if scene.kind == "none" else f"{scene.kind} meter"
        write.text((left + CELL_PX / 2, GAP_PX), title, INK, _font(), anchor="ma")
        sheet.paste(scene.picture.resize(size, Image.Resampling.LANCZOS), (left, top))
        for row, line in enumerate((truth, *lines), start=1):
            colour = TRUE_COLOUR if line is truth else FOUND_COLOUR
            tile = _tile(scene.picture, line.masks[column], size, colour)
            if line is not truth:
                _write_score(tile, agreement(line.masks[column], scene.truth).dice)
            sheet.paste(tile, (left, top + row * down))
    for row, caption in enumerate(("photo", *(line.caption for line in (truth, *lines)))):
        middle = top + row * down + cell_height / 2
        wrapped = "\n".join(_wrapped(caption, CAPTION_PX - 2 * GAP_PX))
        write.multiline_text((GAP_PX, middle), wrapped, INK, _font(), anchor="lm")
    return sheet


def _tile(
    picture: Image.Image, mask: Mask, size: tuple[int, int], colour: tuple[int, int, int]
) -> Image.Image:
    """The photo in grey and dimmed, but in its colours and outlined where the mask is."""
    small = picture.resize(size, Image.Resampling.LANCZOS)
    inside = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST)) > 0
    grey = np.asarray(small.convert("L"))[..., np.newaxis] * DIMMED
    lit = np.asarray(small) * 0.65 + np.array(colour) * 0.35
    drawn = np.where(inside[..., np.newaxis], lit, grey).astype(np.uint8)
    drawn[_outline(inside)] = colour
    return Image.fromarray(drawn)


def _outline(inside: Mask) -> Mask:
    """Pixels just outside of the mask, so that even a thin region is seen."""
    padded = np.pad(inside, 1)
    near = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    outline: Mask = near & ~inside
    return outline


def _write_score(tile: Image.Image, dice: float) -> None:
    write = ImageDraw.Draw(tile)
    text = f"{100 * dice:.0f}"
    at = (tile.width - 4, tile.height - 3)
    left, top, right, bottom = write.textbbox(at, text, _font(), anchor="rd")
    write.rectangle((left - 4, top - 3, right + 4, bottom + 3), fill=(0, 0, 0))
    write.text(at, text, PAPER, _font(), anchor="rd")


def _wrapped(caption: str, width_px: float) -> list[str]:
    """Broken after a space or a hyphen where it is too long for one line."""
    lines = [""]
    for part in caption.replace("-", "-\0").replace(" ", " \0").split("\0"):
        if lines[-1] and _font().getlength((lines[-1] + part).rstrip()) > width_px:
            lines.append("")
        lines[-1] += part
    return lines


def _font(px: int = TEXT_PX) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(px)
