import subprocess
import sys
from pathlib import Path

import pytest
import typer.testing

import models
from models.cli import application

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
    recipe.write_text('name = "short"\n')
    refused = call("train", str(recipe), "--data", str(tmp_path), "--out", str(tmp_path / "run"))
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"metercrop-models: the recipe {recipe} lacks or misnames something: 'seed'\n"
    )


def test_training_without_photos_is_refused_in_one_line(tmp_path: Path) -> None:
    recipe = ROOT / "models" / "recipes" / "attention_unet_16.toml"
    refused = call("train", str(recipe), "--data", str(tmp_path), "--out", str(tmp_path / "run"))
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
