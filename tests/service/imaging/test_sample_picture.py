from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from service.core.geometry import Box
from service.core.orientation import Orientation
from service.core.photo import Limits
from service.core.record import CropRecord
from service.imaging.decode import decoded
from service.imaging.probe import photo_of
from service.imaging.sample_picture import sample_picture
from tests import photos

GREY = (128, 128, 128)
CROP = CropRecord(Box(160, 160, 480, 320), Box(240, 200, 400, 280))


def grey(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), GREY)


def pixels_of(jpeg: bytes) -> NDArray[np.int_]:
    return np.asarray(Image.open(BytesIO(jpeg))).astype(int)


def test_what_a_crop_gives_up_is_veiled_and_the_rest_is_as_it_was() -> None:
    drawn = pixels_of(sample_picture(grey(640, 480), Orientation.UPRIGHT, CROP))
    assert drawn.shape == (240, 320, 3)
    assert abs(drawn[90, 100] - 128).max() < 8
    assert drawn[40, 40].max() < 90
    assert drawn[200, 300].max() < 90


def test_box_is_outlined_amber_and_region_red() -> None:
    drawn = pixels_of(sample_picture(grey(640, 480), Orientation.UPRIGHT, CROP))
    assert abs(drawn[80, 160] - (255, 170, 0)).max() < 40
    assert abs(drawn[120, 239] - (255, 170, 0)).max() < 40
    red, green, blue = drawn[100, 160]
    assert red > 180
    assert max(green, blue) < 120


def test_photo_that_is_kept_is_whole_in_a_grey_frame() -> None:
    drawn = pixels_of(sample_picture(Image.new("RGB", (640, 480), "white"), Orientation(1), None))
    assert abs(drawn[120, 160] - 255).max() < 4
    assert abs(drawn[1, 160] - (120, 128, 136)).max() < 16
    assert abs(drawn[120, 318] - (120, 128, 136)).max() < 16


@pytest.mark.parametrize("orientation", Orientation)
def test_photo_stands_upright_with_the_box_where_the_upright_photo_has_it(
    orientation: Orientation,
) -> None:
    width, height = orientation.upright_size(800, 600)
    region = Box(width // 4, height // 2, width // 2, height // 2 + 40)
    crop = CropRecord(region.padded(20), region)
    drawn = pixels_of(sample_picture(grey(800, 600), orientation, crop))
    assert drawn.shape[:2] == ((240, 320) if width > height else (320, 240))
    bright = np.argwhere(abs(drawn - 128).max(axis=2) < 12)
    top, left = bright.min(axis=0) * 2.5
    bottom, right = bright.max(axis=0) * 2.5
    assert abs(np.array((left, top)) - (region.left - 20, region.top - 20)).max() < 14
    assert abs(np.array((right, bottom)) - (region.right + 20, region.bottom + 20)).max() < 14


@pytest.mark.parametrize("content", [photos.png(mode="RGBA"), photos.deep_png(), photos.gif()])
def test_every_mode_of_pixels_can_be_looked_at(content: bytes) -> None:
    photo = photo_of(content, Limits())
    small = sample_picture(decoded(photo), photo.orientation, CROP, long_side=100)
    assert Image.open(BytesIO(small)).size == (100, 75)


@pytest.mark.parametrize("crop", [None, CropRecord(Box(0, 0, 40, 1), Box(1, 0, 2, 1))])
@pytest.mark.parametrize("size", [(40, 1), (4000, 2)])
def test_small_and_narrow_photos_are_never_enlarged(
    crop: CropRecord | None, size: tuple[int, int]
) -> None:
    small = Image.open(BytesIO(sample_picture(grey(*size), Orientation.UPRIGHT, crop)))
    assert small.size == ((40, 1) if size == (40, 1) else (320, 1))


def test_nothing_but_pixels_is_in_it() -> None:
    block = photos.exif(gps=photos.Gps(), maker="ACME CAMERAS")
    raw = Image.open(BytesIO(photos.jpeg(exif_block=block, icc=photos.icc_profile())))
    raw.info["comment"] = b"read by someone"
    small = sample_picture(raw, Orientation.UPRIGHT, CROP)
    for left_behind in (b"Exif", b"ACME", b"ICC_PROFILE", b"someone"):
        assert left_behind not in small


def test_photo_itself_stays_as_it_is() -> None:
    raw = grey(64, 48)
    sample_picture(raw, Orientation.UPRIGHT, CropRecord(Box(0, 0, 40, 40), Box(9, 9, 20, 20)))
    assert raw.tobytes() == grey(64, 48).tobytes()


def test_picture_of_a_large_photo_takes_few_bytes() -> None:
    small = sample_picture(photos.picture(2000, 1500), Orientation.UPRIGHT, CROP)
    assert 3_000 < len(small) < 20_000
