import subprocess
import sys
from pathlib import Path

import pytest
import typer.testing

import models
from models.cli import application
from tests.bright_photos import write_bright_photos

ROOT = Path(models.__file__).parent.parent


def call(*arguments: str) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(application(), list(arguments), env={"COLUMNS": "80"})


@pytest.mark.parametrize("command", ["render", "train"])
def test_help_shows_an_example(command: str) -> None:
    shown = call(command, "--help")
    assert shown.exit_code == 0
    assert f"Example: metercrop-models {command}" in shown.stdout


def test_rendered_photos_have_masks_of_the_same_names(tmp_path: Path) -> None:
    done = call("render", str(tmp_path / "drawn"), "--count", "2", "--seed", "7")
    assert done.exit_code == 0, done.output
    photos = {file.stem for file in (tmp_path / "drawn" / "images").iterdir()}
    masks = {file.stem for file in (tmp_path / "drawn" / "masks").iterdir()}
    assert len(photos) == 2
    assert photos == masks


def test_unknown_kind_of_meter_is_wrong_usage(tmp_path: Path) -> None:
    refused = call("render", str(tmp_path / "drawn"), "--kind", "steam")
    assert refused.exit_code == 2
    assert "water, gas, electricity, none" in refused.stderr


def test_recipe_that_lacks_something_is_refused_in_one_line(tmp_path: Path) -> None:
    recipe = tmp_path / "short.toml"
    recipe.write_text('name = "short"\nseed = 1\nside = 64\nsource_side = 64\nnetwork = {}\n')
    refused = call("train", str(recipe), "--data", str(tmp_path), "--out", str(tmp_path / "run"))
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"metercrop-models: the recipe {recipe}: data is missing; stage is missing\n"
    )


def test_recipes_are_listed_and_found_by_name(tmp_path: Path) -> None:
    listed = call("recipes")
    assert listed.exit_code == 0, listed.output
    assert "mao_small" in listed.stdout.splitlines()
    refused = call("train", "mao_small+dice", "--data", str(tmp_path), "--out", str(tmp_path / "r"))
    assert refused.exit_code == 1
    assert refused.stderr == f"metercrop-models: there is no folder {tmp_path}/water\n"


def test_recipe_that_is_neither_a_file_nor_shipped_is_refused(tmp_path: Path) -> None:
    refused = call("train", "maoo", "--data", str(tmp_path), "--out", str(tmp_path / "run"))
    assert refused.exit_code == 1
    assert "no recipe maoo" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_network_is_trained_under_several_seeds_by_an_own_recipe(tmp_path: Path) -> None:
    write_bright_photos(tmp_path / "ours", side=32, count=8)
    (tmp_path / "own.toml").write_text(
        'extends = "mao_small"\nside = 32\nsource_side = 32\n'
        '[network]\nname = "unet"\nbase_width = 2\nlevels = 2\n'
        '[[data]]\nfolder = "ours"\nvalidation_share = 0.3\n'
        "[[stage]]\nwindow = 32\nepochs = 1\nbatch = 4\n"
    )
    out = tmp_path / "run"
    done = call(
        *("train", str(tmp_path / "own.toml"), "--data", str(tmp_path), "--out", str(out)),
        *("--seed", "1", "--seed", "2", "--workers", "0"),
    )
    assert done.exit_code == 0, done.output
    assert sorted(folder.name for folder in out.iterdir()) == ["seed-1", "seed-2"]
    left = {file.name for file in (out / "seed-1").iterdir()}
    assert left == {"checkpoint.pt", "events", "log.csv", "preview.png"}


def test_unknown_precision_is_wrong_usage(tmp_path: Path) -> None:
    options = ("--data", str(tmp_path), "--out", str(tmp_path / "run"), "--precision", "double")
    refused = call("train", "mao_small", *options)
    assert refused.exit_code == 2
    assert "full, mixed" in refused.stderr


def test_training_without_photos_is_refused_in_one_line(tmp_path: Path) -> None:
    recipe = "attention_unet_16"
    refused = call("train", recipe, "--data", str(tmp_path), "--out", str(tmp_path / "run"))
    assert refused.exit_code == 1
    assert refused.stderr.startswith("metercrop-models: ")
    assert refused.stderr.count("\n") == 1


def test_missing_torch_is_said_in_one_line_with_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "any.toml").touch()
    code = "import sys; sys.modules['torch'] = None; from models.cli import main; main()"
    refused = subprocess.run(
        [sys.executable, "-c", code, "train", "any.toml", "--data", ".", "--out", "run"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    assert (
        refused.stderr == "metercrop-models: torch is missing; `pip install 'metercrop[train]'`\n"
    )
