"""A contact sheet of held-out photos: what is outlined green is true, red what was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.datasets import Square

Region = NDArray[np.bool_]  # (side, side)

TRUE_COLOUR, FOUND_COLOUR = (60, 220, 60), (235, 40, 60)
PHOTOS, COLUMNS = 12, 4
TILE_PX = 192
GAP_PX = 4


def chosen(squares: Sequence[Square]) -> list[int]:
    """The places of `PHOTOS` of them at most, evenly over all, the same each time."""
    spread = np.linspace(0, len(squares) - 1, min(PHOTOS, len(squares)))
    return [int(place) for place in spread]


def contact_sheet(squares: Sequence[Square], found: Sequence[Region]) -> Image.Image:
    """`COLUMNS` across; each photo with both outlines, red over green."""
    step = TILE_PX + GAP_PX
    rows = -(-len(squares) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * step - GAP_PX, rows * step - GAP_PX), (255, 255, 255))
    for place, (square, region) in enumerate(zip(squares, found, strict=True)):
        row, column = divmod(place, COLUMNS)
        sheet.paste(_tile(square, region), (column * step, row * step))
    return sheet


def _tile(square: Square, region: Region) -> Image.Image:
    size = (TILE_PX, TILE_PX)
    drawn = np.array(Image.fromarray(square.pixels).resize(size, Image.Resampling.BILINEAR))
    for one, colour in ((square.mask > 0, TRUE_COLOUR), (region, FOUND_COLOUR)):
        resized = Image.fromarray(one.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
        drawn[_outline(np.asarray(resized) > 0)] = colour
    return Image.fromarray(drawn)


def _outline(region: Region) -> Region:
    """The region's own pixels that touch what is not of it, above, below, left or right."""
    padded = np.pad(region, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    outline: Region = region & ~inner
    return outline
