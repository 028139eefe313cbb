"""Where the time of one photo goes, as ratios to what Pillow needs for decode, crop and encode.

Run with `make bench`; nothing here is asserted but that both do the work.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from statistics import median
from time import perf_counter

import pytest
from PIL import Image
from rich.console import Console
from rich.table import Table

from models.release import optimizer_of
from models.rendering import MeterKind, render
from service.core.crop import Crop
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.encode import encoded_crop
from service.imaging.probe import photo_of
from service.imaging.raw_frame import raw_frame
from service.settings import BUNDLED_MODEL

ROUNDS = 9
PEER = "Pillow's way"


def interleaved_medians_ms(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Each step once a round, in turn, so that a busy moment of the machine hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = perf_counter()
            step()
            taken[name].append((perf_counter() - started) * 1000)
    return {name: median(times) for name, times in taken.items()}


def pillow_s_way(content: bytes, box: Box) -> bytes:
    """What everybody does: decode, shrink for the model, crop, encode anew."""
    with Image.open(BytesIO(content)) as image:
        image.resize((256, 192), Image.Resampling.BILINEAR, reducing_gap=2.0)
        encoded = BytesIO()
        image.crop((box.left, box.top, box.right, box.bottom)).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


@pytest.mark.parametrize("size", [(1600, 1200), (4000, 3000)], ids=["2 MP", "12 MP"])
def test_stages_of_one_photo(size: tuple[int, int]) -> None:
    drawn = BytesIO()
    render(308, kind=MeterKind.GAS, width=size[0], height=size[1]).photo.save(drawn, "JPEG")
    content = drawn.getvalue()
    optimizer = optimizer_of(BUNDLED_MODEL)
    photo = photo_of(content, Limits())
    side = optimizer.segmenter.description.side
    frame = raw_frame(photo, side=side)
    pixels, _ = frame.model_input(side=side)
    crop = optimizer.judged(photo).decision
    assert isinstance(crop, Crop)
    medians = interleaved_medians_ms(
        {
            PEER: lambda: pillow_s_way(content, crop.box),
            "probe": lambda: photo_of(content, Limits()),
            "read": lambda: raw_frame(photo, side=side),
            "model input": lambda: frame.model_input(side=side),
            "inference": lambda: optimizer.segmenter.probabilities(pixels),
            "exact crop": lambda: encoded_crop(
                frame,
                box=crop.box,
                region=crop.region,
                encoding=optimizer.encoding,
                keep_gps=False,
            ),
            "whole way": lambda: optimizer.optimized(photo),
        }
    )
    table = Table("step", "ms, median", "of Pillow's way", title=f"{size[0]} x {size[1]}")
    for name, ms in medians.items():
        table.add_row(name, f"{ms:.1f}", f"{ms / medians[PEER]:.2f}")
    Console().print(table)
