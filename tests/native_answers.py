"""Whether the native JPEG code answers as the library path does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from service.core.encoding import Encoding
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.encode import encoded_crop
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame, raw_frame


def assert_answers_are_those_of_the_library(
    content: bytes, *, sides: Sequence[int], box: Box, region: Box
) -> None:
    """What the model and people see, the crop, and the profile, without the native code too.

    `sides` are of pictures that are made of blocks.
    """
    photo = photo_of(content, Limits())
    natively, by_library = raw_frame(photo, side=sides[0]), RawFrame(photo)
    assert natively.scan is not None
    for seen, expected in zip(
        _looks_of(natively, sides), _looks_of(by_library, sides), strict=True
    ):
        assert np.array_equal(seen, expected)
    crops = [
        encoded_crop(frame, box=box, region=region, encoding=Encoding.AUTO, keep_gps=False)
        for frame in (natively, by_library)
    ]
    assert crops[0] == crops[1]
    assert crops[0].exact
    assert natively.icc_profile == by_library.icc_profile
    assert "pixels" not in vars(natively)


def _looks_of(frame: RawFrame, sides: Sequence[int]) -> list[np.ndarray]:
    inputs = [frame.model_input(side=side)[0] for side in sides]
    return inputs + [np.asarray(frame.rendition(long_side=side)) for side in sides]
