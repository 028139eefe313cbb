"""What a comparison of masks, boxes and seeds comes to."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.card import COLUMNS, score_table
from models.datasets import Example
from models.evaluate import outcome, outcomes, score
from models.metrics import agreement, box_iou, spread
from models.serving import optimizer_of
from service.core.crop import Reason
from service.core.geometry import Box
from tests.painted import BLUE, COUNTER, RED, painted_photo
from tests.segmenters import colour_model

AT_BORDER = Box(0, 180, 160, 260)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finds what is painted red for sure, and what is blue with doubts."""
    return colour_model(tmp_path_factory.mktemp("model"))


def example(
    folder: Path,
    *,
    painted: tuple[Box, ...],
    annotated: Box = COUNTER,
    colour: tuple[int, int, int] = RED,
) -> Example:
    image = folder / "photo.jpg"
    image.write_bytes(painted_photo(regions=painted, colour=colour))
    box = (annotated.left, annotated.top, annotated.right, annotated.bottom)
    return Example("photo", image, None, (box,))


def test_miou_is_the_mean_of_region_and_background() -> None:
    true, found = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    true[0, :4] = True
    found[0, 2:] = found[1, 2:] = True
    assert agreement(found, true).miou == pytest.approx((2 / 6 + 10 / 14) / 2)


def test_miou_of_an_empty_photo_in_which_nothing_is_found_is_full() -> None:
    nothing = np.zeros((4, 4), bool)
    assert agreement(nothing, nothing).miou == 1.0


@pytest.mark.parametrize(
    ("found", "true", "expected"),
    [
        (Box(0, 0, 4, 4), Box(0, 0, 4, 4), 1.0),
        (Box(0, 0, 4, 4), Box(2, 0, 6, 4), 1 / 3),
        (Box(0, 0, 2, 2), Box(5, 5, 6, 6), 0.0),
        (None, Box(0, 0, 1, 1), 0.0),
        (Box(0, 0, 1, 1), None, 0.0),
        (None, None, 1.0),
    ],
)
def test_boxes_agree_by_what_they_share(
    found: Box | None, true: Box | None, expected: float
) -> None:
    assert box_iou(found, true) == pytest.approx(expected)


def test_spread_over_seeds_is_the_mean_and_the_sd_of_a_sample() -> None:
    over = spread([0.8, 0.9, 1.0])
    assert over.mean == pytest.approx(0.9)
    assert over.sd == pytest.approx(0.1)


def test_single_seed_has_no_sd() -> None:
    assert spread([0.8]).sd is None


def test_spread_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no value"):
        spread([])


def test_box_of_a_crop_is_compared_with_the_annotated_one(model: Path, tmp_path: Path) -> None:
    found = outcome(example(tmp_path, painted=(COUNTER,)), optimizer_of(model))
    assert found.reason is None
    assert found.box_iou > 0.9


def test_box_of_a_doubtful_region_counts_though_the_original_is_kept(
    model: Path, tmp_path: Path
) -> None:
    doubtful = example(tmp_path, painted=(COUNTER,), colour=BLUE)
    found = outcome(doubtful, optimizer_of(model))
    assert found.reason is Reason.LOW_CONFIDENCE
    assert found.box_iou > 0.9


def test_region_that_the_border_cuts_has_its_box_too(model: Path, tmp_path: Path) -> None:
    cut = example(tmp_path, painted=(AT_BORDER,), annotated=AT_BORDER)
    found = outcome(cut, optimizer_of(model))
    assert found.reason is Reason.REGION_AT_BORDER
    assert found.box_iou > 0.9


def test_reading_outside_of_the_crop_is_lost(model: Path, tmp_path: Path) -> None:
    beside = Box(40, 400, 120, 440)
    lost = example(tmp_path, painted=(COUNTER,), annotated=beside)
    total = score(outcomes([lost, lost], optimizer_of(model)))
    assert total.readings_lost == 2
    assert (total.held, total.box_iou) == (0.0, 0.0)


def test_photo_without_a_reading_has_none_to_lose(model: Path, tmp_path: Path) -> None:
    bare = example(tmp_path, painted=())
    mask = tmp_path / "photo.png"
    Image.new("L", (640, 480)).save(mask)
    nothing = Example("photo", bare.image, mask)
    found = outcome(nothing, optimizer_of(model))
    assert (found.held, found.box_iou, found.agreement.miou) == (True, 1.0, 1.0)


def test_table_of_a_card_has_a_cell_for_each_column(model: Path, tmp_path: Path) -> None:
    total = score(outcomes([example(tmp_path, painted=(COUNTER,))], optimizer_of(model)))
    head, _, row = score_table({"painted": total}).splitlines()
    assert head.count("|") == row.count("|") == len(COLUMNS) + 2
