"""What a training run leaves in its folder, and how it goes on from there."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from models import preview
from models.augment import Augmentation
from models.checkpoint import as_trained, read
from models.datasets import Square
from models.device import Place, Precision, place
from models.learner import Optimizer, OptimizerKind, Schedule, ScheduleKind
from models.losses import Loss, LossKind
from models.recipe import DataSource, Recipe, Stage
from models.train import runs, train
from service.core.geometry import Letterbox
from tests.bright_photos import write_bright_photos

ALONE = Place(torch.device("cpu"), Precision.FULL, workers=0)
STAGE = Stage(window=32, epochs=1, batch=4, peak_rate=1e-2)
TINY = Recipe(
    name="tiny",
    seed=3,
    side=32,
    source_side=32,
    network={"name": "unet", "base_width": 2, "levels": 2},
    data=(DataSource("bright", validation_share=0.3),),
    stages=(STAGE,),
    augmentation=Augmentation.FLIPS,
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    write_bright_photos(root / "bright", side=32, count=8)
    return root


@pytest.fixture(scope="module")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY, data=photos, out=tmp_path_factory.mktemp("run"), on=ALONE).parent


def weights(out: Path) -> torch.Tensor:
    averaged = read(out / "checkpoint.pt")["averaged"].values()
    return torch.cat([value.flatten().double() for value in averaged])


def trained(recipe: Recipe, photos: Path, out: Path, *, on: Place = ALONE) -> torch.Tensor:
    return weights(train(recipe, data=photos, out=out, on=on).parent)


def epochs(recipe: Recipe, count: int) -> Recipe:
    return replace(recipe, stages=(replace(STAGE, epochs=count),))


def test_run_repeats_from_its_seed_and_differs_between_seeds(
    run: Path, photos: Path, tmp_path: Path
) -> None:
    again = trained(TINY, photos, tmp_path / "again")
    other = trained(replace(TINY, seed=4), photos, tmp_path / "other")
    assert torch.equal(weights(run), again)
    assert not torch.equal(weights(run), other)


def test_workers_change_nothing(run: Path, photos: Path, tmp_path: Path) -> None:
    on = replace(ALONE, workers=2)
    assert torch.equal(weights(run), trained(TINY, photos, tmp_path, on=on))


def test_each_seed_has_a_folder_of_its_own() -> None:
    out = Path("out")
    assert runs(TINY, out, seeds=[]) == [(TINY, out)]
    found = runs(TINY, out, seeds=[1, 2])
    assert [(recipe.seed, folder) for recipe, folder in found] == [
        (1, out / "seed-1"),
        (2, out / "seed-2"),
    ]


def test_checkpoint_tells_recipe_and_seed(run: Path) -> None:
    kept = run / "checkpoint.pt"
    assert (read(kept)["recipe"], read(kept)["seed"]) == ("tiny", 3)
    assert as_trained(replace(TINY, seed=9), kept) == TINY
    with pytest.raises(ValueError, match="trained by the recipe tiny, not by other"):
        as_trained(replace(TINY, name="other"), kept)


@pytest.mark.parametrize("other", [replace(TINY, name="other"), replace(TINY, seed=9)])
def test_run_of_another_recipe_or_seed_is_not_gone_on_with(
    run: Path, photos: Path, other: Recipe
) -> None:
    before = (run / "checkpoint.pt").read_bytes()
    with pytest.raises(ValueError, match=r"checkpoint\.pt was trained"):
        train(other, data=photos, out=run, on=ALONE)
    assert (run / "checkpoint.pt").read_bytes() == before


def test_run_whose_network_has_changed_is_not_gone_on_with(run: Path, photos: Path) -> None:
    wider = replace(TINY, network={**TINY.network, "base_width": 4})
    with pytest.raises(ValueError, match=r"checkpoint\.pt holds another network"):
        train(wider, data=photos, out=run, on=ALONE)


def test_file_that_is_no_checkpoint_is_told(photos: Path, tmp_path: Path) -> None:
    for content in (b"", b"no checkpoint"):
        (tmp_path / "checkpoint.pt").write_bytes(content)
        with pytest.raises(ValueError, match=r"checkpoint\.pt is no checkpoint of"):
            train(TINY, data=photos, out=tmp_path, on=ALONE)


@pytest.mark.parametrize(
    ("optimizer", "schedule", "loss"),
    [
        (
            Optimizer(OptimizerKind.ADAM),
            Schedule(ScheduleKind.STEP, epochs=1, factor=0.5),
            LossKind.DICE,
        ),
        (
            Optimizer(OptimizerKind.SGD, momentum=0.9, average_decay=0.5),
            Schedule(ScheduleKind.EXPONENTIAL, epochs=2, factor=0.5),
            LossKind.CROSS_ENTROPY,
        ),
    ],
    ids=["adam-step-dice", "sgd-exponential-entropy"],
)
def test_stopped_run_goes_on_to_the_same_weights(
    photos: Path, tmp_path: Path, optimizer: Optimizer, schedule: Schedule, loss: LossKind
) -> None:
    recipe = epochs(replace(TINY, optimizer=optimizer, schedule=schedule, loss=Loss(loss)), 2)
    at_once = trained(recipe, photos, tmp_path / "at_once")
    trained(epochs(recipe, 1), photos, tmp_path / "stopped")
    assert torch.equal(at_once, trained(recipe, photos, tmp_path / "stopped"))
    first, second = read(tmp_path / "stopped" / "checkpoint.pt")["rows"]
    assert (first["rate"], first["epoch"], second["epoch"]) == (1e-2, 1, 2)
    assert second["rate"] == pytest.approx(1e-2 * schedule.share_after(1))
    assert len((tmp_path / "stopped" / "log.csv").read_text().splitlines()) == 3


def test_finished_run_is_left_as_it_is(run: Path, photos: Path) -> None:
    before = (run / "checkpoint.pt").read_bytes()
    train(TINY, data=photos, out=run, on=ALONE)
    assert (run / "checkpoint.pt").read_bytes() == before


def test_mixed_precision_learns_nearly_the_same(run: Path, photos: Path, tmp_path: Path) -> None:
    mixed = trained(TINY, photos, tmp_path, on=replace(ALONE, precision=Precision.MIXED))
    exact = weights(run)
    assert not torch.equal(mixed, exact)
    torch.testing.assert_close(mixed, exact, rtol=0.2, atol=0.05)


def test_run_leaves_no_mode_of_torch_changed(run: Path) -> None:
    assert not torch.are_deterministic_algorithms_enabled()


def test_log_has_a_row_an_epoch_with_rate_and_time(run: Path) -> None:
    header, row = (run / "log.csv").read_text().splitlines()
    assert header == "epoch,loss,val_dice,rate,seconds"
    assert row.split(",")[0] == "1"
    assert 0 <= float(row.split(",")[2]) <= 1


def test_events_tell_tensorboard_what_the_log_tells(run: Path) -> None:
    told = EventAccumulator(str(run / "events"))
    told.Reload()
    logged = [float(row.split(",")[1]) for row in (run / "log.csv").read_text().splitlines()[1:]]
    assert [event.step for event in told.Scalars("loss")] == [1]
    assert [event.value for event in told.Scalars("loss")] == pytest.approx(logged)
    assert [event.step for event in told.Images("preview")] == [1]


def test_preview_shows_the_held_out_photos(run: Path, photos: Path) -> None:
    _, held_out = TINY.splits(photos)
    with Image.open(run / "preview.png") as sheet:
        across = min(len(held_out), preview.COLUMNS)
        down = -(-min(len(held_out), preview.PHOTOS) // preview.COLUMNS)
        assert sheet.height == down * (preview.TILE_PX + preview.GAP_PX) - preview.GAP_PX
        assert across > 1


def test_contact_sheet_outlines_truth_green_and_what_was_found_red() -> None:
    pixels, mask = np.full((64, 64, 3), 90, np.uint8), np.zeros((64, 64), np.uint8)
    mask[8:24, 8:24] = 255
    found = np.zeros((64, 64), bool)
    found[32:56, 32:56] = True
    square = Square(pixels, mask, Letterbox(64, 64, 64))
    sheet = np.asarray(preview.contact_sheet([square] * 5, [found] * 5))
    scale = preview.TILE_PX // 64
    assert tuple(sheet[8 * scale, 12 * scale]) == preview.TRUE_COLOUR
    assert tuple(sheet[32 * scale, 40 * scale]) == preview.FOUND_COLOUR
    assert tuple(sheet[12 * scale, 12 * scale]) == (90, 90, 90)  # inside


def test_previewed_photos_are_spread_over_all() -> None:
    square = Square(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), Letterbox(1, 1, 1))
    assert preview.chosen([square] * 100)[::11] == [0, 99]
    assert preview.chosen([square] * 3) == [0, 1, 2]


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, "holds no photo out"), (1.0, "holds every photo out")]
)
def test_split_that_leaves_one_side_empty_is_told(
    photos: Path, tmp_path: Path, share: float, told: str
) -> None:
    recipe = replace(TINY, data=(DataSource("bright", validation_share=share),))
    with pytest.raises(ValueError, match=told):
        train(recipe, data=photos, out=tmp_path / "run", on=ALONE)
    assert not (tmp_path / "run").exists()


def test_rate_at_which_learning_goes_astray_is_told(photos: Path, tmp_path: Path) -> None:
    wild = Optimizer(OptimizerKind.SGD, largest_gradient=float("inf"))
    stage = replace(STAGE, epochs=3, peak_rate=1e30)
    recipe = replace(
        TINY, optimizer=wild, stages=(stage,), schedule=Schedule(ScheduleKind.CONSTANT)
    )
    with pytest.raises(ValueError, match="is no number; lower the rate"):
        train(recipe, data=photos, out=tmp_path, on=ALONE)


def test_devices_that_are_not_there_are_told() -> None:
    with pytest.raises(ValueError, match="knows no device 'gpu'"):
        place("gpu")
    assert place().precision is Precision.FULL
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="sees no CUDA device"):
            place("cuda")
