from models.export import Calibration, Label, metadata
from models.origin import as_metadata, origin_of, read_origin
from models.recipe import read_recipe

RECIPE = read_recipe("mao_small")
ORIGIN = origin_of(RECIPE, data_sha256="cd" * 32)


def test_exported_file_tells_how_it_was_trained() -> None:
    label = Label(version="1.0", licence="CC0-1.0", data_sha256="cd" * 32)
    told = metadata(RECIPE, Calibration(threshold=0.5, min_confidence=0.9), label)
    assert read_origin(told) == ORIGIN


def test_origin_names_recipe_seed_epochs_and_what_was_held_out() -> None:
    assert (ORIGIN.recipe, ORIGIN.seed) == (RECIPE.name, RECIPE.seed)
    assert ORIGIN.epochs == sum(stage.epochs for stage in RECIPE.stages)
    assert ORIGIN.network == RECIPE.network
    assert ORIGIN.data == {one.folder: one.validation_share for one in RECIPE.data}
    assert (ORIGIN.source, ORIGIN.reduced) == (RECIPE.source, RECIPE.reduced)


def test_file_from_before_it_was_told_has_no_origin() -> None:
    assert read_origin({"metercrop.name": "old"}) is None


def test_origin_that_cannot_be_read_is_none() -> None:
    broken = as_metadata(ORIGIN) | {"metercrop.training.network": "{"}
    assert read_origin(broken) is None
