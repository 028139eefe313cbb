import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from service.core.geometry import Box
from service.core.orientation import Orientation

WIDTH, HEIGHT = 7, 5
orientations = pytest.mark.parametrize("orientation", list(Orientation))


def numbered_frame(orientation: Orientation) -> Image.Image:
    """Stored pixels, each of another value, with the tag that says how they must be turned."""
    values = np.arange(WIDTH * HEIGHT, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    frame = Image.fromarray(values)
    frame.getexif()[0x0112] = int(orientation)
    return frame


def values_in(picture: Image.Image, box: Box) -> set[int]:
    return set(np.asarray(picture)[box.top : box.bottom, box.left : box.right].ravel().tolist())


@orientations
def test_upright_size_is_that_of_pillow(orientation: Orientation) -> None:
    upright = ImageOps.exif_transpose(numbered_frame(orientation))
    assert orientation.upright_size(WIDTH, HEIGHT) == upright.size


@orientations
@pytest.mark.parametrize("box", [Box(0, 0, 2, 1), Box(1, 2, 4, 4), Box(3, 0, 5, 5)])
def test_box_of_the_upright_photo_holds_the_same_pixels_as_its_raw_box(
    orientation: Orientation, box: Box
) -> None:
    raw = numbered_frame(orientation)
    upright = ImageOps.exif_transpose(raw)
    assert Box(0, 0, *upright.size).contains(box)
    found = orientation.to_raw(box, raw_width=WIDTH, raw_height=HEIGHT)
    assert values_in(raw, found) == values_in(upright, box)


@orientations
@given(data=st.data())
def test_raw_and_upright_boxes_are_each_others_inverse(
    orientation: Orientation, data: st.DataObject
) -> None:
    left, top = data.draw(st.integers(0, 98)), data.draw(st.integers(0, 58))
    box = Box(left, top, data.draw(st.integers(left + 1, 99)), data.draw(st.integers(top + 1, 59)))
    upright = orientation.to_upright(box, raw_width=99, raw_height=59)
    assert Box(0, 0, *orientation.upright_size(99, 59)).contains(upright)
    assert orientation.to_raw(upright, raw_width=99, raw_height=59) == box


@pytest.mark.parametrize("tag", [0, 9, -1, 255, None, "6", 6.0, (6,)])
def test_tag_that_says_nothing_valid_means_upright(tag: object) -> None:
    assert Orientation.from_exif(tag) is Orientation.UPRIGHT


@orientations
def test_valid_tag_means_its_orientation(orientation: Orientation) -> None:
    assert Orientation.from_exif(int(orientation)) is orientation
