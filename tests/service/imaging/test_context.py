"""The small picture of the whole that is stored beside a crop."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from service.core.orientation import Orientation
from service.imaging.context import ContextImage, context_image
from service.imaging.preview import small_upright
from tests import photos


def shown(context: ContextImage) -> Image.Image:
    picture = Image.open(io.BytesIO(context.content))
    assert picture.format == "WEBP"
    assert picture.size == (context.width, context.height)
    return picture


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 3000), (320, 240)),
        ((1000, 4000), (80, 320)),
        ((500, 320), (320, 205)),
        ((64, 48), (64, 48)),
        ((4000, 1), (320, 1)),
    ],
)
def test_longer_side_is_as_long_as_asked_and_nothing_is_enlarged(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    context = context_image(Image.new("RGB", size), Orientation.UPRIGHT, long_side=320)

    assert shown(context).size == expected


@pytest.mark.parametrize("orientation", list(Orientation))
def test_picture_is_upright(orientation: Orientation) -> None:
    raw = photos.picture(1280, 960)

    context = context_image(raw, orientation, long_side=320)

    upright = small_upright(raw, orientation, long_side=320)
    assert difference(shown(context), upright) < 6.0


@pytest.mark.parametrize("size", [(2000, 1500), (1300, 975), (700, 525)])
def test_picture_looks_as_one_that_is_made_of_all_pixels(size: tuple[int, int]) -> None:
    raw = photos.picture(*size)

    context = context_image(raw, Orientation.UPRIGHT, long_side=320)

    assert difference(shown(context), small_upright(raw, Orientation.UPRIGHT, long_side=320)) < 6.0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_picture_is_made_of_whatever_a_decoder_returns(mode: str) -> None:
    grey = photos.picture(1300, 700, mode="L")
    raw = grey.convert(mode) if mode != "I;16" else grey.convert("I").convert("I;16")

    context = context_image(raw, Orientation.UPRIGHT, long_side=320)

    assert shown(context).mode == "RGB"


def test_picture_carries_no_metadata() -> None:
    raw = photos.picture(1280, 960)
    raw.info |= {
        "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "exif": b"Exif\0\0MM\0*",
        "xmp": b"<x/>",
        "comment": b"where it hangs",
    }

    context = context_image(raw, Orientation.UPRIGHT, long_side=320)

    for name in (b"EXIF", b"XMP ", b"ICCP", b"hangs"):
        assert name not in context.content
    assert shown(context).info.keys() <= {"loop", "background", "timestamp", "duration"}


def test_picture_of_a_photo_has_some_ten_kilobytes() -> None:
    context = context_image(photos.picture(2000, 1500), Orientation.UPRIGHT, long_side=320)

    assert 1_000 < len(context.content) < 15_000


def difference(one: Image.Image, other: Image.Image) -> float:
    """Root of the mean square."""
    apart = np.asarray(one.convert("RGB"), float) - np.asarray(other.convert("RGB"), float)
    return float(np.sqrt((apart**2).mean()))
