import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from service.core.geometry import Box
from service.core.regions import Region, regions_of

masks = arrays.arrays(
    np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.booleans()
)


def drawn(*rows: str) -> NDArray[np.float32]:
    """Probability 1 where a row has an #."""
    return np.array([[mark == "#" for mark in row] for row in rows], dtype=np.float32)


def flooded(mask: NDArray[np.bool_]) -> set[frozenset[tuple[int, int]]]:
    """The connected regions, found in the plainest way there is."""
    left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    found = set()
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            row, column = edge.pop()
            region.add((row, column))
            near = {(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
            edge += near & left
            left -= near
        found.add(frozenset(region))
    return found


def pixels_of(region: Region) -> frozenset[tuple[int, int]]:
    return frozenset((int(row), int(column)) for row, column in np.argwhere(region.pixels))


@given(masks)
def test_regions_are_those_of_a_flood_fill(mask: NDArray[np.bool_]) -> None:
    found = regions_of(mask.astype(np.float32), threshold=0.5)
    assert {pixels_of(region) for region in found} == flooded(mask)
    assert sum(region.area_px for region in found) == int(mask.sum())


@given(masks)
def test_box_is_the_smallest_that_holds_every_pixel(mask: NDArray[np.bool_]) -> None:
    for region in regions_of(mask.astype(np.float32), threshold=0.5):
        rows, columns = np.nonzero(region.pixels)
        assert region.box == Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    assert len(regions_of(drawn("#..", ".#.", "..#"), threshold=0.5)) == 1


def test_arms_that_meet_in_a_later_row_are_one_region() -> None:
    (region,) = regions_of(drawn("#.#.#", "#.#.#", "#####"), threshold=0.5)
    assert region.area_px == 11


def test_pixel_at_the_threshold_belongs_to_a_region() -> None:
    probabilities = np.array([[0.5, 0.0, 0.49]], dtype=np.float32)
    (region,) = regions_of(probabilities, threshold=0.5)
    assert region.box == Box(0, 0, 1, 1)


def test_region_below_the_least_area_is_left_out() -> None:
    (region,) = regions_of(drawn("##...", "##..#"), threshold=0.5, min_area_px=2)
    assert region.box == Box(0, 0, 2, 2)


def test_weight_is_the_sum_of_the_probabilities_inside() -> None:
    probabilities = np.array([[0.75, 0.5, 0.25]], dtype=np.float32)
    (region,) = regions_of(probabilities, threshold=0.5)
    assert region.weight == 1.25


def test_joined_region_holds_both() -> None:
    left, right = regions_of(drawn("#...", "#..#"), threshold=0.5)
    joined = left.joined(right)
    assert joined.box == Box(0, 0, 4, 2)
    assert joined.area_px == 3
    assert joined.weight == left.weight + right.weight
