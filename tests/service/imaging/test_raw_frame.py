from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from service.core.errors import PhotoRejected
from service.core.orientation import Orientation
from service.core.photo import Limits, Photo
from service.imaging.decode import decoded
from service.imaging.model_input import model_input
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame, raw_frame
from service.imaging.rgb import rgb_of
from tests import photos

SIDE = 64


def probed(content: bytes) -> Photo:
    return photo_of(content, Limits())


COLOURS = {
    "4:4:4": photos.jpeg(width=640, height=472, subsampling="4:4:4", quality=95),
    "4:2:0": photos.jpeg(width=640, height=472, subsampling="4:2:0", quality=95),
    "4:1:1": photos.jpeg_of_rare_sampling("411", width=640, height=472),
    "4:4:0": photos.jpeg_of_rare_sampling("440", width=640, height=472),
    "grey": photos.jpeg(width=640, height=472, mode="L", quality=95),
    "cmyk": photos.jpeg(width=640, height=472, mode="CMYK", quality=95),
    "ycck": photos.ycck_jpeg(width=640, height=472),
    "rgb-coded": photos.jpeg(width=640, height=472, rgb_coded=True, quality=95),
    "odd-size": photos.jpeg(width=637, height=471, quality=95),
    "progressive": photos.jpeg(width=640, height=472, quality=95, progressive=True),
    "progressive-grey": photos.jpeg(width=637, height=471, mode="L", quality=95, progressive=True),
}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("width", [64, 128])
def test_small_picture_shows_what_the_decoded_one_shows(colour: str, width: int) -> None:
    photo = probed(COLOURS[colour])
    whole = rgb_of(decoded(photo))
    height = round(whole.height * width / whole.width)
    expected = whole.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    small = RawFrame(photo).small(width, height)
    assert small is not None
    difference = np.asarray(small).astype(int) - np.asarray(expected)
    assert np.abs(difference).mean() < 4.0
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.6


@pytest.mark.parametrize("orientation", Orientation)
def test_model_sees_the_photo_upright(orientation: Orientation) -> None:
    photo = probed(photos.jpeg(width=640, height=472, quality=95, orientation=orientation))
    pixels, frame = raw_frame(photo, side=SIDE).model_input(side=SIDE)
    expected, expected_frame = model_input(decoded(photo), orientation, side=SIDE)
    assert frame == expected_frame
    assert pixels.shape == (SIDE, SIDE, 3)
    assert np.abs(pixels.astype(int) - expected).mean() < 2.0


@pytest.mark.parametrize(
    "content",
    [
        photos.jpeg(width=255, height=140),
        photos.png(width=640, height=472),
    ],
    ids=["too-small", "png"],
)
def test_others_are_seen_as_decoded(content: bytes) -> None:
    photo = probed(content)
    frame = raw_frame(photo, side=SIDE)
    expected, _ = model_input(decoded(photo), photo.orientation, side=SIDE)
    assert frame.small(SIDE, SIDE) is None
    assert np.array_equal(frame.model_input(side=SIDE)[0], expected)
    assert frame.rendition(long_side=SIDE).size == photo.size


def test_rendition_is_as_large_as_a_picture_of_its_size() -> None:
    frame = raw_frame(probed(photos.jpeg(width=640, height=472)), side=SIDE)
    assert frame.rendition(long_side=160).size == (160, 118)
    assert frame.rendition(long_side=161).size == frame.size


@pytest.mark.parametrize("content", [photos.jpeg(), photos.jpeg(progressive=True)])
def test_damaged_photo_is_refused_before_anything_is_asked(content: bytes) -> None:
    damaged = probed(photos.overwritten(content, 0.5, bytes(3000)))
    with pytest.raises(PhotoRejected) as refusal:
        raw_frame(damaged, side=SIDE)
    assert refusal.value.code == "photo.corrupt"


def test_photo_cut_short_is_refused_before_anything_is_asked() -> None:
    content = photos.jpeg()
    with pytest.raises(PhotoRejected) as refusal:
        raw_frame(probed(content[: len(content) // 2]), side=SIDE)
    assert refusal.value.code == "photo.truncated"
