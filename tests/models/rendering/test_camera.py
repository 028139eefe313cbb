import numpy as np
import pytest
from PIL import Image

from models.rendering.camera import (
    Pose,
    paste_quad,
    rectangle,
    region_mask,
    rotation,
    rounded_rectangle,
    signed_area,
)


def tilted(seed: int) -> Pose:
    rng = np.random.default_rng(seed)
    yaw, pitch, roll = rng.uniform(-0.6, 0.6), rng.uniform(-0.6, 0.6), rng.uniform(-3.1, 3.1)
    return Pose(rotation(yaw=yaw, pitch=pitch, roll=roll), 0.2, 90.0, (128.0, 128.0))


@pytest.mark.parametrize("seed", range(8))
def test_mask_covers_exactly_the_pixels_that_the_picture_does(seed: int) -> None:
    quad = tilted(seed).project(rectangle(-0.5, -0.2, 0.5, 0.2))
    photo = Image.new("RGB", (256, 256))
    paste_quad(photo, Image.new("RGBA", (200, 80), (255, 255, 255, 255)), quad)
    painted = np.asarray(photo)[:, :, 0] >= 128
    masked = region_mask((quad,), (256, 256))
    assert masked.sum() > 1000
    outline = region_mask((quad,), (256, 256)).sum() ** 0.5
    assert (painted ^ masked).sum() <= 0.05 * outline


def test_upright_rectangle_covers_the_pixels_whose_centres_it_holds() -> None:
    corners = np.array([[2.4, 1.0], [5.6, 1.0], [5.6, 3.0], [2.4, 3.0]])
    rows, columns = np.nonzero(region_mask((corners,), (8, 6)))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 2, 2, 5)


def test_polygon_beyond_the_photo_marks_only_what_is_inside() -> None:
    corners = np.array([[-10.0, -10.0], [3.0, -10.0], [3.0, 2.0], [-10.0, 2.0]])
    assert region_mask((corners,), (8, 8)).sum() == 6
    assert not region_mask((corners + 100.0,), (8, 8)).any()


def test_frontal_pose_is_scale_and_shift_alone() -> None:
    pose = Pose(rotation(yaw=0.0, pitch=0.0, roll=0.0), 0.3, 50.0, (10.0, 20.0))
    assert pose.project(np.array([[1.0, -1.0, 0.0]])).tolist() == [[60.0, -30.0]]


def test_nearer_things_are_larger() -> None:
    pose = Pose(rotation(yaw=0.0, pitch=0.0, roll=0.0), 0.3, 50.0, (0.0, 0.0))
    near, far = pose.project(np.array([[1.0, 0.0, 0.5], [1.0, 0.0, -0.5]]))
    assert near[0] > 50.0 > far[0]


def test_quarter_turn_lays_the_digits_upright() -> None:
    pose = Pose(rotation(yaw=0.0, pitch=0.0, roll=np.pi / 2), 0.1, 10.0, (0.0, 0.0))
    assert np.allclose(pose.project(np.array([[1.0, 0.0, 0.0]])), [[0.0, 10.0]])


def test_light_keeps_its_direction_in_the_photo_when_the_meter_is_turned() -> None:
    turned = Pose(rotation(yaw=0.0, pitch=0.0, roll=np.pi / 2), 0.1, 10.0, (0.0, 0.0))
    x, y = turned.light_in_frame((0.0, -1.0))  # a lamp above
    assert np.allclose(turned.project(np.array([[x, y, 0.0]])), [[0.0, -10.0]])


def test_outlines_run_clockwise() -> None:
    span = (-1.0, -0.5, 1.0, 0.5)
    assert signed_area(rectangle(*span)[:, :2]) == pytest.approx(2.0)
    assert 1.9 < signed_area(rounded_rectangle(*span, radius=0.2)[:, :2]) < 2.0
