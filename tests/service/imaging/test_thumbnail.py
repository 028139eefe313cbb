"""Photos in small, for looking at."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from service.core.errors import PhotoRejected
from service.core.photo import Limits, Photo
from service.imaging.probe import photo_of
from service.imaging.thumbnail import thumbnail_of
from tests import photos


def probed(content: bytes) -> Photo:
    return photo_of(content, Limits())


@pytest.mark.parametrize("long_side", [100, 320, 640, 2_000])
def test_thumbnail_looks_like_the_photo_at_any_size(long_side: int) -> None:
    whole = photos.picture(1_600, 1_000)

    made = thumbnail_of(probed(photos.jpeg(width=1_600, height=1_000)), long_side=long_side)

    width = min(1_600, long_side)
    shown = Image.open(BytesIO(made.content))
    assert shown.size == (made.width, made.height) == (width, round(width / 1.6))
    smooth = whole.resize((64, 40), Image.Resampling.BOX)
    difference = np.abs(np.asarray(smooth, float) - np.asarray(shown.resize(smooth.size), float))
    assert difference.mean() < 6.0


def test_thumbnail_carries_no_metadata() -> None:
    content = photos.jpeg(exif_block=photos.exif(gps=photos.Gps()), icc=photos.icc_profile())

    shown = Image.open(BytesIO(thumbnail_of(probed(content), long_side=320).content))

    assert "exif" not in shown.info
    assert "icc_profile" not in shown.info


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_photo_that_is_cut_short_has_none(share: float) -> None:
    with pytest.raises(PhotoRejected) as refusal:
        thumbnail_of(probed(photos.cut_short(photos.jpeg(), share)), long_side=320)

    assert refusal.value.code == "photo.truncated"
