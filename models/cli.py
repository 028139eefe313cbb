"""The command `metercrop-models`: the training side."""
# ruff: noqa: PLC0415  what only the train extra brings is imported by the command that needs it

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:  # it brings torch, which `--help` does without
    from models.recipe import Recipe

TRAINING_PACKAGES = ("onnx", "onnxscript", "torch", "tqdm")
RECIPE = typer.Argument(metavar="RECIPE", help="A TOML file.", exists=True, dir_okay=False)
DATA = typer.Option(metavar="DIR", help="Annotated photos.", exists=True, file_okay=False)
Name = TypeVar("Name", bound=StrEnum)
HELD_OUT_SHARE = 0.1
"""Of a folder without a split of its own."""


def application() -> typer.Typer:
    """Exit codes: 0 success, 1 a failure said on stderr, 2 wrong usage."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Renders photos with masks, trains the networks and exports what metercrop serves.",
    )
    for command in (render, train, export, quantize, evaluate):
        app.command()(reported(command))
    return app


def main() -> None:
    application()(prog_name="metercrop-models")


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """What fails for a reason outside of the program is said in one line, with exit code 1."""

    @functools.wraps(command)
    def called(**arguments: object) -> None:
        try:
            command(**arguments)
        except ModuleNotFoundError as error:
            if error.name not in TRAINING_PACKAGES:
                raise
            raise _failed(f"{error.name} is missing; `pip install 'metercrop[train]'`") from error
        except (OSError, ValueError) as error:
            raise _failed(str(error)) from error

    called.__signature__ = inspect.signature(command, eval_str=True)  # type: ignore[attr-defined]
    return called


def render(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Gets images/ and masks/.")],
    *,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many photos.")] = 100,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Same seed, same photos.")] = 0,
    longer_px: Annotated[int, typer.Option(min=456, metavar="N", help="Longer side.")] = 512,
    difficulty: Annotated[str, typer.Option(metavar="NAME", help="plain or field.")] = "field",
    kind: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="water, gas, electricity or none; unset: all."),
    ] = None,
) -> None:
    """Draws photos of meters with their exact masks.

    Example: `metercrop-models render data/drawn --count 1000 --seed 7`
    """
    from models.rendering import Difficulty, MeterKind, write_dataset

    write_dataset(
        out,
        count,
        seed=seed,
        longer_px=longer_px,
        difficulty=_one_of(Difficulty, difficulty, option="--difficulty"),
        kind=None if kind is None else _one_of(MeterKind, kind, option="--kind"),
    )
    typer.echo(f"{count} photos with masks are in {out}")


def train(
    recipe: Annotated[Path, RECIPE],
    *,
    data: Annotated[Path, DATA],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Gets checkpoint.pt and log.csv.")],
    device: Annotated[str, typer.Option(metavar="NAME", help="As torch names it.")] = "cpu",
) -> None:
    """Trains a network by a recipe; goes on where it was stopped.

    Example: `metercrop-models train models/recipes/attention_unet_16.toml --data photos --out run`
    """
    from models.train import train as trained

    checkpoint = trained(_recipe(recipe), data=data, out=out, device=device)
    typer.echo(f"the trained network is in {checkpoint}")


def export(
    recipe: Annotated[Path, RECIPE],
    checkpoint: Annotated[Path, typer.Argument(exists=True, help="What `train` wrote.")],
    *,
    data: Annotated[Path, DATA],
    to: Annotated[Path, typer.Option(metavar="FILE", help="The ONNX file; its card lies beside.")],
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Licence of the weights.")],
    version: Annotated[str, typer.Option(metavar="TEXT", help="Of the weights.")] = "0.1.0",
    terms: Annotated[str, typer.Option(metavar="TEXT", help="What they may be used for.")] = "",
) -> None:
    """Writes what metercrop serves: calibrated on the held-out photos, scored, with its card.

    Example: `metercrop-models export models/recipes/attention_unet_16.toml run/checkpoint.pt
    --data photos --to first.onnx --licence "our own"`
    """
    from models.card import score_table
    from models.export import Label
    from models.release import provenance_of, release

    read = _recipe(recipe)
    released = release(
        read,
        checkpoint,
        data=data,
        label=Label(version, licence),
        provenance=provenance_of(read, recipe, data=data, terms=terms),
        to=to,
    )
    typer.echo(score_table(released.scores))
    typer.echo(f"{released.path}: trusted from confidence {released.calibration.min_confidence}")


def quantize(
    recipe: Annotated[Path, RECIPE],
    model: Annotated[Path, typer.Argument(exists=True, help="What `export` wrote.")],
    *,
    data: Annotated[Path, DATA],
    to: Annotated[Path, typer.Option(metavar="FILE", help="The ONNX file; its card lies beside.")],
    terms: Annotated[str, typer.Option(metavar="TEXT", help="What it may be used for.")] = "",
) -> None:
    """Rounds a model to whole numbers (INT8), if it then still finds what it found.

    Example: `metercrop-models quantize models/recipes/subpixel_unet_16.toml first.onnx
    --data photos --to first-int8.onnx`
    """
    from models.card import score_table
    from models.quantize import quantize as quantized
    from models.release import provenance_of

    read = _recipe(recipe)
    provenance = provenance_of(read, recipe, data=data, terms=terms)
    released = quantized(read, model, data=data, provenance=provenance, to=to)
    typer.echo(score_table(released.scores))
    typer.echo(f"{released.path}: trusted from confidence {released.calibration.min_confidence}")


def evaluate(
    model: Annotated[Path, typer.Argument(exists=True, help="An ONNX file of `export`.")],
    folders: Annotated[list[str], typer.Argument(metavar="FOLDER...", help="Under --data.")],
    *,
    data: Annotated[Path, DATA],
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only what the folder's split holds out.")
    ] = False,
) -> None:
    """Scores a model on annotated photos, by the crop that would really be stored.

    Example: `metercrop-models evaluate first.onnx water phone --data photos`
    """
    from models import datasets
    from models.card import score_table
    from models.evaluate import outcomes, score
    from models.release import optimizer_of

    optimizer = optimizer_of(model)
    scores = {}
    for folder in folders:
        found = datasets.examples(data / folder, datasets.annotation_of(data / folder))
        if held_out:
            _, found = datasets.split(found, data / folder, HELD_OUT_SHARE)
        scores[folder] = score(outcomes(found, optimizer))
    typer.echo(score_table(scores))


def _recipe(path: Path) -> Recipe:
    from models.recipe import read_recipe

    try:
        return read_recipe(path)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the recipe {path} lacks or misnames something: {error}") from error


def _one_of(names: type[Name], name: str, *, option: str) -> Name:
    try:
        return names(name)
    except ValueError as error:
        known = ", ".join(names)
        raise typer.BadParameter(f"{name!r} is none of {known}", param_hint=option) from error


def _failed(why: str) -> typer.Exit:
    typer.echo(f"metercrop-models: {why}", err=True)
    return typer.Exit(1)
