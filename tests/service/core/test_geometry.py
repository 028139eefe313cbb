import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.geometry import Box, Letterbox

sizes = st.integers(1, 12_000)
sides = st.sampled_from([32, 256, 384])


@st.composite
def boxes(draw: st.DrawFn, width: int = 4000, height: int = 3000) -> Box:
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return Box(left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height)))


@pytest.mark.parametrize("edges", [(5, 0, 5, 9), (0, 7, 9, 7), (6, 0, 5, 9), (0, 8, 9, 7)])
def test_box_without_a_pixel_is_refused(edges: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        Box(*edges)


def test_box_counts_half_open_pixels() -> None:
    box = Box(10, 20, 13, 25)
    assert (box.width, box.height, box.area) == (3, 5, 15)


@given(boxes(), st.integers(0, 500))
def test_padded_box_holds_the_box_and_grows_by_twice_the_margin(box: Box, margin_px: int) -> None:
    padded = box.padded(margin_px)
    assert padded.contains(box)
    assert padded.width == box.width + 2 * margin_px
    assert padded.height == box.height + 2 * margin_px


@given(boxes(), st.integers(0, 500))
def test_clipped_box_lies_within_the_picture(box: Box, margin_px: int) -> None:
    assert Box(0, 0, 4000, 3000).contains(box.padded(margin_px).clipped(4000, 3000))


@given(boxes(), boxes())
def test_boxes_that_contain_each_other_are_equal(one: Box, other: Box) -> None:
    assert one.contains(one)
    assert (one.contains(other) and other.contains(one)) == (one == other)


@given(sizes, sizes, sides)
def test_letterbox_fills_the_longer_side_and_centres_the_shorter(
    width: int, height: int, side: int
) -> None:
    inner = Letterbox(width, height, side).inner
    assert max(inner.width, inner.height) == side
    assert abs(inner.left - (side - inner.right)) <= 1
    assert abs(inner.top - (side - inner.bottom)) <= 1


@given(sizes, sizes, sides)
def test_letterbox_keeps_the_proportions_to_the_nearest_pixel(
    width: int, height: int, side: int
) -> None:
    inner = Letterbox(width, height, side).inner
    scale = side / max(width, height)
    assert abs(inner.width - max(1.0, width * scale)) <= 0.5
    assert abs(inner.height - max(1.0, height * scale)) <= 0.5


@given(sizes, sizes, sides)
def test_whole_square_maps_to_the_whole_photo(width: int, height: int, side: int) -> None:
    frame = Letterbox(width, height, side)
    assert frame.to_photo(frame.inner) == Box(0, 0, width, height)


@given(st.data(), sizes, sizes, sides)
def test_mapped_box_covers_every_photo_pixel_under_it_and_no_row_more(
    data: st.DataObject, width: int, height: int, side: int
) -> None:
    frame = Letterbox(width, height, side)
    inner = frame.inner
    left = data.draw(st.integers(inner.left, inner.right - 1))
    top = data.draw(st.integers(inner.top, inner.bottom - 1))
    box = Box(
        left,
        top,
        data.draw(st.integers(left + 1, inner.right)),
        data.draw(st.integers(top + 1, inner.bottom)),
    )
    found = frame.to_photo(box)
    across, down = width / inner.width, height / inner.height
    assert Box(0, 0, width, height).contains(found)
    for edge, exact in (
        (found.left, (box.left - inner.left) * across),
        (found.top, (box.top - inner.top) * down),
    ):
        assert exact - 1 < edge <= exact
    for edge, exact in (
        (found.right, (box.right - inner.left) * across),
        (found.bottom, (box.bottom - inner.top) * down),
    ):
        assert exact <= edge < exact + 1 or math.isclose(edge, exact, abs_tol=1e-6)


def test_photo_of_twice_the_size_maps_to_twice_the_box() -> None:
    frame = Letterbox(width=1024, height=512, side=256)
    assert frame.inner == Box(0, 64, 256, 192)
    assert frame.to_photo(Box(10, 70, 20, 90)) == Box(40, 24, 80, 104)


def test_boxes_meet_where_they_share_a_pixel_and_not_where_they_touch() -> None:
    box = Box(10, 10, 20, 20)
    assert box.meets(Box(19, 19, 30, 30))
    assert box.meets(Box(12, 12, 13, 13))
    assert not box.meets(Box(20, 10, 30, 20))
    assert not box.meets(Box(10, 0, 20, 10))
