"""Where the time of one photo goes, beside what Pillow needs for decode, crop and encode.

Run with `make bench`; see `apart` for what is measured. Nothing is asserted.
"""

from __future__ import annotations

from functools import partial

import pytest

from models.serving import optimizer_of
from service.core.crop import Crop, Mask, decide
from service.core.photo import Limits
from service.imaging.context import context_image
from service.imaging.encode import encoded_crop
from service.imaging.probe import photo_of
from service.imaging.raw_frame import raw_frame
from service.settings import BUNDLED_MODEL, Device, Settings
from tests.benchmarks.apart import Way, costs
from tests.benchmarks.peers import by_pillow
from tests.benchmarks.photos import NOISE, photo_bytes
from tests.benchmarks.test_jpeg import show

PEER = "Pillow's way"
STEPS = (PEER, "probe", "read", "model input", "inference", "decision", "exact crop", "picture")


@pytest.mark.parametrize("noise", NOISE)
def test_steps_of_one_photo(noise: str) -> None:
    content = photo_bytes("12 MP", noise, "a meter near by")
    ways = {name: partial(step, name, content) for name in STEPS}
    show(f"12 MP, {noise}, {len(content) / 1e6:.2f} MB", costs(ways), against=PEER)


def step(name: str, content: bytes) -> Way:
    """One of `STEPS`, all those before it done."""
    optimizer = optimizer_of(BUNDLED_MODEL, Device.CPU, threads=1)
    side = optimizer.segmenter.description.side
    photo = photo_of(content, Limits())
    frame = raw_frame(photo, side=side)
    pixels, letterbox = frame.model_input(side=side)
    mask = Mask(optimizer.segmenter.probabilities(pixels), letterbox)
    crop = decide(mask, optimizer.policy)
    assert isinstance(crop, Crop)
    long_side = Settings.model_fields["context_px"].default
    ways: dict[str, Way] = {
        PEER: lambda: by_pillow(content, crop.box),
        "probe": lambda: photo_of(content, Limits()),
        "read": lambda: raw_frame(photo, side=side),
        "model input": lambda: frame.model_input(side=side),
        "inference": lambda: optimizer.segmenter.probabilities(pixels),
        "decision": lambda: decide(mask, optimizer.policy),
        "exact crop": lambda: encoded_crop(
            frame,
            box=crop.box,
            region=crop.region,
            encoding=optimizer.encoding,
            keep_gps=optimizer.keep_gps,
        ),
        "picture": lambda: context_image(
            frame.rendition(long_side=long_side), photo.orientation, long_side=long_side
        ),
    }
    return ways[name]
