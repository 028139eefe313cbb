from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.classical import METHODS, canny, k_means, otsu

Method = Callable[[NDArray[np.uint8]], NDArray[np.bool_]]

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


def plate_on_wall(*, plate: tuple[int, int, int], wall: tuple[int, int, int]) -> NDArray[np.uint8]:
    """(48, 64, 3): one plate inside, whose place `PLATE` says, slightly noisy."""
    pixels = np.full((48, 64, 3), wall, dtype=np.int16)
    pixels[PLATE] = plate
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape)
    return (pixels + noise).clip(0, 255).astype(np.uint8)


PLATE = np.s_[14:34, 20:50]


def dice(found: NDArray[np.bool_]) -> float:
    true = np.zeros((48, 64), dtype=bool)
    true[PLATE] = True
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


@every_method
@pytest.mark.parametrize(("plate", "wall"), [((220,) * 3, (70,) * 3), ((40,) * 3, (190,) * 3)])
def test_plate_is_found_whether_brighter_or_darker_than_the_wall(
    method: Method, plate: tuple[int, int, int], wall: tuple[int, int, int]
) -> None:
    found = method(plate_on_wall(plate=plate, wall=wall))
    assert found.dtype == np.bool_
    assert found.shape == (48, 64)
    assert dice(found) > 0.9


def test_clusters_see_colours_of_the_same_brightness() -> None:
    pixels = plate_on_wall(plate=(200, 60, 60), wall=(60, 120, 110))
    assert dice(k_means(pixels)) > 0.9


def test_clusters_do_not_depend_on_chance() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    cv2.setRNGSeed(1)
    first = k_means(pixels)
    cv2.setRNGSeed(2)
    assert np.array_equal(k_means(pixels), first)


def test_digits_on_a_plate_belong_to_it() -> None:
    pixels = plate_on_wall(plate=(220,) * 3, wall=(70,) * 3)
    pixels[20:28, 26:44:3] = 30
    assert dice(otsu(pixels)) > 0.9


def test_edges_close_together_are_one_region_and_lone_ones_do_not_count() -> None:
    pixels = np.full((96, 128, 3), 120, dtype=np.uint8)
    pixels[40:60, 40:90:6] = 20  # a row of strokes
    pixels[5:9, 5:9] = 20
    found = canny(pixels)
    assert found[50, 42:86].all()
    assert not found[7, 7]


@every_method
def test_photo_of_one_colour_is_no_error(method: Method) -> None:
    assert method(np.full((20, 30, 3), 90, dtype=np.uint8)).shape == (20, 30)
