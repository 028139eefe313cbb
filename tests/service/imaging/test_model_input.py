from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from service.core.geometry import Letterbox
from service.core.orientation import Orientation
from service.core.photo import Limits
from service.imaging.decode import decoded
from service.imaging.letterbox import PADDING_GREY, letterboxed
from service.imaging.model_input import model_input
from service.imaging.probe import photo_of
from service.imaging.rgb import rgb_of
from service.imaging.upright import turned_upright
from tests import photos

SIDE = 128


@pytest.mark.parametrize("orientation", Orientation)
@pytest.mark.parametrize("size", [(640, 480), (333, 1001), (1280, 1280), (50, 40)])
def test_turning_after_shrinking_shows_what_shrinking_after_turning_shows(
    orientation: Orientation, size: tuple[int, int]
) -> None:
    raw = photos.picture(*size)
    pixels, frame = model_input(raw, orientation, side=SIDE)
    upright = turned_upright(raw, orientation)
    assert frame == Letterbox(*upright.size, SIDE)
    assert pixels.shape == (SIDE, SIDE, 3)
    expected = letterboxed(upright, frame)
    difference = np.abs(pixels.astype(int) - expected.astype(int))
    assert difference.mean() < 0.8
    assert np.percentile(difference, 99) <= 8


def test_orientation_moves_the_counter_to_where_the_upright_photo_has_it() -> None:
    upright = photos.picture(600, 400)
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    pixels, _ = model_input(lying, Orientation.TURNED_90_CLOCKWISE, side=SIDE)
    expected, _ = model_input(upright, Orientation.UPRIGHT, side=SIDE)
    assert np.abs(pixels.astype(int) - expected.astype(int)).mean() < 0.5


def test_what_is_not_photo_is_padding() -> None:
    pixels, frame = model_input(photos.picture(640, 320), Orientation.UPRIGHT, side=SIDE)
    assert (pixels[: frame.inner.top] == PADDING_GREY).all()
    assert (pixels[frame.inner.bottom :] == PADDING_GREY).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (2000, 3)])
def test_extreme_shapes_still_fill_a_square(size: tuple[int, int]) -> None:
    pixels, _ = model_input(photos.picture(*size), Orientation.TRANSPOSED, side=SIDE)
    assert pixels.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_comes_out_as_the_same_picture(mode: str) -> None:
    grey = photos.picture(mode="L")
    seen = np.asarray(rgb_of(grey.convert("RGB").convert(mode))).astype(int)
    assert np.abs(seen - np.asarray(grey)[:, :, None]).mean() < 4.0


def test_palette_is_resolved() -> None:
    palette = photos.picture().quantize(32)
    expected = np.asarray(palette.convert("RGB"))
    assert np.array_equal(np.asarray(rgb_of(palette)), expected)


def test_one_bit_is_black_and_white() -> None:
    assert set(np.unique(np.asarray(rgb_of(photos.picture(mode="1"))))) == {0, 255}


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    deep = decoded(photo_of(photos.deep_png(), Limits()))
    seen = np.asarray(rgb_of(deep))[:, :, 0].astype(int)
    assert np.abs(seen - np.asarray(photos.picture(mode="L"))).max() <= 1


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([[0, 200]], np.int32), [0, 200]),
        (np.array([[0, 65_535]], np.int32), [0, 255]),
        (np.array([[0.0, 1.0]], np.float32), [0, 255]),
        (np.array([[0.0, 200.0]], np.float32), [0, 200]),
        (np.array([[0.0, np.nan]], np.float32), [0, 0]),
        (np.array([[-5.0, 255.0]], np.float32), [0, 255]),
    ],
)
def test_32_bit_samples_are_scaled_by_the_range_they_use(
    samples: np.ndarray, expected: list[int]
) -> None:
    assert np.asarray(rgb_of(Image.fromarray(samples)))[0, :, 0].tolist() == expected


def test_what_is_transparent_lies_on_white() -> None:
    clear = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    assert rgb_of(clear).getpixel((0, 0)) == (255, 255, 255)


def test_transparent_colour_of_a_palette_lies_on_white() -> None:
    palette = Image.new("P", (4, 4), 3)
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    palette.info["transparency"] = 3
    assert rgb_of(palette).getpixel((0, 0)) == (255, 255, 255)
