"""A tiny network learns a plain task, is exported, and answers in ONNX Runtime as in PyTorch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from models.card import Provenance, score_table
from models.datasets import Annotation, square
from models.evaluate import Outcome, safe_confidence, score
from models.export import Calibration, Deployed, Label, export, trained_network
from models.learner import Optimizer
from models.metrics import Agreement
from models.quantize import in_whole_numbers, quantize
from models.recipe import DataSource, Recipe, Stage
from models.release import card_of, provenance_of, release
from models.train import train
from service.adapters.onnx import load_segmenter
from service.settings import Device
from tests.bright_photos import write_bright_photos

CUTS = Stage(window=32, epochs=4, batch=4, peak_rate=2e-2)
WHOLE = Stage(window=64, epochs=8, batch=4, peak_rate=1e-2)
TINY = Recipe(
    name="tiny",
    seed=3,
    side=64,
    source_side=64,
    network={"name": "attention_unet", "base_width": 4, "levels": 3},
    data=(DataSource("bright", Annotation.MASKS, validation_share=0.3),),
    stages=(CUTS, WHOLE),
    optimizer=Optimizer(weight_decay=1e-4, average_decay=0.8),
)
LABEL = Label(version="9.9", licence="CC0-1.0")
PROVENANCE = Provenance("tiny.toml", photos=1, data_sha256="0" * 64, terms="For tests.")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    write_bright_photos(root / "bright", side=64, count=24)
    return root


@pytest.fixture(scope="module")
def checkpoint(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY, data=photos, out=tmp_path_factory.mktemp("run"))


def weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    return dict(trained_network(TINY, checkpoint).state_dict())


def test_training_lowers_the_loss_and_logs_each_epoch(checkpoint: Path) -> None:
    rows = (checkpoint.parent / "log.csv").read_text().splitlines()
    assert rows[0] == "epoch,loss,val_dice,rate,seconds"
    losses = [float(row.split(",")[1]) for row in rows[1:]]
    assert len(losses) == CUTS.epochs + WHOLE.epochs
    assert losses[CUTS.epochs - 1] < 0.8 * losses[0]
    assert float(rows[-1].split(",")[2]) > 0.7


def test_stopped_training_resumes_to_the_same_weights(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    train(replace(TINY, stages=(CUTS,)), data=photos, out=tmp_path)
    resumed = weights(train(TINY, data=photos, out=tmp_path))
    for name, value in weights(checkpoint).items():
        torch.testing.assert_close(resumed[name], value, msg=name)


def test_exported_file_answers_as_the_network_does(checkpoint: Path, tmp_path: Path) -> None:
    network = trained_network(TINY, checkpoint)
    path = tmp_path / "tiny.onnx"
    sha256 = export(
        TINY,
        network,
        calibration=Calibration(threshold=0.4, min_confidence=0.7),
        label=Label(version="9.9", licence="CC0-1.0"),
        to=path,
    )
    path.with_suffix(".md").write_text(f"sha256: {sha256}")
    segmenter = load_segmenter(path, Device.CPU, threads=1)
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = Deployed(network)(torch.from_numpy(pixels)[None])[0].numpy()
    np.testing.assert_allclose(segmenter.probabilities(pixels), expected, atol=1e-5)
    said = segmenter.description
    assert (said.name, said.version, said.licence) == ("tiny", "9.9", "CC0-1.0")
    assert (said.side, said.threshold, said.min_confidence) == (64, 0.4, 0.7)
    assert [f.name for f in tmp_path.iterdir() if f.suffix == ".partial"] == []
    assert all(not node.metadata_props for node in onnx.load(path).graph.node)


def test_stage_that_ends_before_its_rate_cycle_is_the_start_of_the_longer_one(
    photos: Path, tmp_path: Path
) -> None:
    longer = replace(CUTS, epochs=2)
    shorter = replace(CUTS, epochs=1, cycle_epochs=2)
    train(replace(TINY, stages=(longer,)), data=photos, out=tmp_path / "longer")
    train(replace(TINY, stages=(shorter,)), data=photos, out=tmp_path / "shorter")
    first, second = (
        [row.split(",")[:2] for row in (tmp_path / name / "log.csv").read_text().splitlines()]
        for name in ("longer", "shorter")
    )
    assert first[:2] == second


def test_photo_that_is_repeated_is_shown_so_often_an_epoch(photos: Path, tmp_path: Path) -> None:
    source = DataSource("bright", Annotation.MASKS, validation_share=0.3, repeats=3)
    stage = replace(CUTS, epochs=1)
    thrice = replace(TINY, data=(source,), stages=(stage,))
    train(thrice, data=photos, out=tmp_path)
    learned, _ = thrice.splits(photos)
    steps = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["schedule"]["last_epoch"]
    assert steps == -(-3 * len(learned) // stage.batch)


def test_release_scores_no_source_that_holds_nothing_out(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    drawn = tmp_path / "photos" / "drawn"
    drawn.parent.mkdir()
    (drawn.parent / "bright").symlink_to(photos / "bright")
    drawn.symlink_to(photos / "bright")
    unseen = DataSource("drawn", Annotation.MASKS, validation_share=0.0)
    released = release(
        replace(TINY, data=(*TINY.data, unseen)),
        checkpoint,
        data=drawn.parent,
        label=LABEL,
        provenance=PROVENANCE,
        to=tmp_path / "tiny.onnx",
    )
    assert list(released.scores) == ["bright"]


def test_release_without_any_photo_held_out_is_an_error(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    unseen = DataSource("bright", Annotation.MASKS, validation_share=0.0)
    with pytest.raises(ValueError, match="validation_share"):
        release(
            replace(TINY, data=(unseen,)),
            checkpoint,
            data=photos,
            label=LABEL,
            provenance=PROVENANCE,
            to=tmp_path / "tiny.onnx",
        )
    assert list(tmp_path.iterdir()) == []


def test_model_in_whole_numbers_finds_what_it_found(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    exact, rounded = tmp_path / "tiny.onnx", tmp_path / "tiny-int8.onnx"
    release(TINY, checkpoint, data=photos, label=LABEL, provenance=PROVENANCE, to=exact)
    moved = replace(PROVENANCE, data_sha256="of what lies in the folders now")
    made = quantize(TINY, exact, data=photos, provenance=moved, to=rounded)
    assert made.scores["bright"].held == 1.0
    assert made.scores["bright"].dice > 0.7
    said = load_segmenter(rounded, Device.CPU, threads=1).description
    assert (said.name, said.version, said.licence) == ("tiny-int8", "9.9", "CC0-1.0")
    operations = {node.op_type for node in onnx.load(rounded).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= operations
    assert moved.data_sha256 not in card_of(rounded).read_text()


def test_no_rectifier_of_a_rounded_model_is_left_among_fractions(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    exact = tmp_path / "tiny.onnx"
    release(TINY, checkpoint, data=photos, label=LABEL, provenance=PROVENANCE, to=exact)
    before = {node.op_type for node in onnx.load(exact).graph.node}
    learned, _ = TINY.splits(photos)
    graph = in_whole_numbers(exact, [square(one, TINY.side) for one in learned]).graph
    assert "Relu" in before
    assert "Relu" not in {node.op_type for node in graph.node}


def test_model_that_rounding_spoils_is_not_written(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    exact, rounded = tmp_path / "tiny.onnx", tmp_path / "tiny-int8.onnx"
    release(TINY, checkpoint, data=photos, label=LABEL, provenance=PROVENANCE, to=exact)
    with pytest.raises(ValueError, match="serve it as it is"):
        quantize(TINY, exact, data=photos, provenance=PROVENANCE, to=rounded, largest_loss=-1.0)
    assert not rounded.exists()


def test_model_of_another_recipe_is_not_quantized(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    exact = tmp_path / "tiny.onnx"
    release(TINY, checkpoint, data=photos, label=LABEL, provenance=PROVENANCE, to=exact)
    other = replace(TINY, name="other")
    with pytest.raises(ValueError, match="tiny, but the recipe is that of other"):
        quantize(other, exact, data=photos, provenance=PROVENANCE, to=tmp_path / "q.onnx")


def test_release_is_calibrated_on_val_and_loses_no_reading_there(
    checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.onnx"
    released = release(
        TINY,
        checkpoint,
        data=photos,
        label=Label(version="9.9", licence="CC0-1.0"),
        provenance=provenance_of(
            TINY, Path("tiny.toml"), data=photos, terms="For tests.", shown=["bright"]
        ),
        to=path,
    )
    bright = released.scores["bright"]
    assert bright.photos == len(TINY.splits(photos)[1])
    assert bright.held == 1.0
    assert bright.exact == 1.0
    assert released.calibration.min_confidence >= 0.5
    assert load_segmenter(path, Device.CPU, threads=1).description.sha256 == released.sha256
    card = path.with_suffix(".md").read_text()
    assert "CC0-1.0" in card
    assert "For tests." in card
    assert score_table(released.scores) in card
    assert "![Failures](tiny.webp)" in card
    with Image.open(tmp_path / "tiny.webp") as failures:
        assert failures.width > 3 * failures.height / 2  # four photos a row, seven held out


def outcome_with(confidence: float, *, held: bool, stored_bytes: int = 25) -> Outcome:
    return Outcome(
        name="photo",
        agreement=Agreement(1, 0, 1, 2),
        box_iou=1.0,
        confidence=confidence,
        reason=None,
        held=held,
        exact=True,
        original_bytes=100,
        stored_bytes=stored_bytes,
    )


def test_safe_confidence_lies_just_over_the_surest_loss() -> None:
    found = [outcome_with(0.95, held=True), outcome_with(0.8, held=False)]
    assert safe_confidence(found, floor=0.5) == 0.81
    assert safe_confidence(found[:1], floor=0.5) == 0.5


def test_score_averages_masks_over_photos_and_sums_bytes() -> None:
    found = [outcome_with(0.9, held=True), outcome_with(0.9, held=False, stored_bytes=75)]
    total = score(found)
    assert (total.held, total.saved_fraction, total.jaccard) == (0.5, 0.5, 0.5)


def test_score_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no annotated photo"):
        score([])
