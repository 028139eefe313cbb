from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from service.core.crop import Crop, Kept, Mask, Reason
from service.core.geometry import Box, Letterbox
from service.core.orientation import Orientation
from service.imaging.overlay import overlay_png
from tests import photos

SIDE = 64


def mask_over(box: Box, frame: Letterbox) -> Mask:
    probabilities = np.zeros((SIDE, SIDE), np.float32)
    probabilities[box.top : box.bottom, box.left : box.right] = 1.0
    return Mask(probabilities, frame)


def pixels_of(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png))).astype(int)


def test_mask_is_tinted_where_the_photo_has_it_and_nowhere_else() -> None:
    raw = Image.new("RGB", (640, 320), (100, 100, 100))
    mask = mask_over(Box(0, 16, 32, 48), Letterbox(640, 320, SIDE))
    drawn = pixels_of(
        overlay_png(raw, Orientation.UPRIGHT, mask=mask, decision=Kept(Reason.LOW_CONFIDENCE, 0.4))
    )
    assert drawn.shape == (320, 640, 3)
    assert drawn[160, 100, 1] > 130
    assert (drawn[160, 500] == 100).all()


def test_box_and_region_of_a_crop_are_drawn() -> None:
    raw = Image.new("RGB", (640, 480), (0, 0, 0))
    mask = mask_over(Box(0, 0, 1, 1), Letterbox(640, 480, SIDE))
    crop = Crop(Box(100, 100, 500, 400), Box(200, 200, 300, 300), 0.9)
    drawn = pixels_of(overlay_png(raw, Orientation.UPRIGHT, mask=mask, decision=crop))
    assert drawn[100, 300].sum() > 200
    assert drawn[250, 200].sum() > 200
    assert drawn[250, 400].sum() == 0


@pytest.mark.parametrize("orientation", Orientation)
def test_large_photo_is_shown_upright_and_small(orientation: Orientation) -> None:
    raw = photos.picture(1600, 900)
    width, height = orientation.upright_size(1600, 900)
    mask = mask_over(Box(20, 20, 40, 40), Letterbox(width, height, SIDE))
    crop = Crop(Box(0, 0, width, height), Box(10, 10, 50, 50), 0.9)
    drawn = pixels_of(overlay_png(raw, orientation, mask=mask, decision=crop))
    assert drawn.shape[:2] == ((720, 1280) if width > height else (1280, 720))
