"""The command `metercrop-models`: the training side."""
# ruff: noqa: PLC0415  what only the train extra brings is imported by the command that needs it

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from service.core.errors import MetercropError

TRAINING_PACKAGES = ("cv2", "onnx", "onnxscript", "tensorboard", "torch", "tqdm")
RECIPE = typer.Argument(metavar="RECIPE", help="A TOML file, or a name that `recipes` lists.")
DATA = typer.Option(metavar="DIR", help="Annotated photos.", exists=True, file_okay=False)
SHOW = typer.Option(
    metavar="FOLDER",
    help="Its worst held-out photos are drawn beside the card. Again for several.",
)
AS_JSON = typer.Option("--json", help="For machines, on stdout.")
Name = TypeVar("Name", bound=StrEnum)


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
    for command in (render, recipes, train, export, quantize, evaluate, compare):
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
        except (MetercropError, OSError, ValueError) as error:
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


def recipes() -> None:
    """Lists the recipes that ship, with network, size and source, and what may follow each.

    Example: `metercrop-models train mao_small+gates-all --data photos --out run`
    """
    from models.catalogue import catalogue

    typer.echo(catalogue())


def train(
    recipe: Annotated[Path, RECIPE],
    *,
    data: Annotated[Path, DATA],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Gets what the run leaves.")],
    seed: Annotated[
        list[int] | None,
        typer.Option(min=0, metavar="N", help="Into DIR/seed-N; repeatable. Unset: the recipe's."),
    ] = None,
    device: Annotated[str, typer.Option(metavar="NAME", help="cpu, cuda, cuda:1, ...")] = "cpu",
    precision: Annotated[
        str | None, typer.Option(metavar="NAME", help="full or mixed; unset: mixed on CUDA.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Prepare photos; unset: 1, on CUDA one a core."),
    ] = None,
) -> None:
    """Trains a network by a recipe; goes on where it was stopped.

    `DIR` gets checkpoint.pt, log.csv, preview.png (held-out photos: green is true, red was found)
    and events/ for TensorBoard. A recipe of your own may take up one that ships:
    `extends = "quarter_unet"`, and then what differs.

    Example: `metercrop-models train mao_small --data photos --out run --seed 1 --seed 2`
    """
    from models.device import Precision, place
    from models.recipe import read_recipe
    from models.train import runs
    from models.train import train as trained

    exact = None if precision is None else _one_of(Precision, precision, option="--precision")
    on = place(device, exact, workers=workers)
    for one, folder in runs(read_recipe(recipe), out, seeds=seed or []):
        typer.echo(f"the trained network is in {trained(one, data=data, out=folder, on=on)}")


def export(  # noqa: PLR0913  an argument an option
    recipe: Annotated[Path, RECIPE],
    checkpoint: Annotated[Path, typer.Argument(exists=True, help="What `train` wrote.")],
    *,
    data: Annotated[Path, DATA],
    to: Annotated[Path, typer.Option(metavar="FILE", help="The ONNX file; its card lies beside.")],
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Licence of the weights.")],
    version: Annotated[str, typer.Option(metavar="TEXT", help="Of the weights.")] = "0.1.0",
    terms: Annotated[str, typer.Option(metavar="TEXT", help="What they may be used for.")] = "",
    show: Annotated[list[str] | None, SHOW] = None,
) -> None:
    """Writes what metercrop serves: calibrated on the held-out photos, scored, with its card.

    Example: `metercrop-models export quarter_unet run/checkpoint.pt
    --data photos --to first.onnx --licence "our own"`
    """
    from models.card import score_table
    from models.checkpoint import as_trained
    from models.export import Label
    from models.recipe import read_recipe
    from models.release import provenance_of, release

    read = as_trained(read_recipe(recipe), checkpoint)
    released = release(
        read,
        checkpoint,
        data=data,
        label=Label(version, licence),
        provenance=provenance_of(read, recipe, data=data, terms=terms, shown=show or ()),
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
    show: Annotated[list[str] | None, SHOW] = None,
) -> None:
    """Rounds a model to whole numbers (INT8), if it then still finds what it found.

    Example: `metercrop-models quantize quarter_unet first.onnx
    --data photos --to first-int8.onnx`
    """
    from models.card import score_table
    from models.quantize import quantize as quantized
    from models.recipe import read_recipe
    from models.release import provenance_of

    read = read_recipe(recipe)
    provenance = provenance_of(read, recipe, data=data, terms=terms, shown=show or ())
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
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Scores a model on annotated photos, by the crop that would really be stored.

    Example: `metercrop-models evaluate first.onnx water phone --data photos`
    """
    from models import datasets
    from models.card import score_table
    from models.evaluate import outcomes, score
    from models.serving import optimizer_of

    optimizer = optimizer_of(model)
    scores = {}
    for folder in folders:
        found = datasets.examples(data / folder, datasets.annotation_of(data / folder))
        if held_out:
            _, found = datasets.split(found, data / folder, datasets.HELD_OUT_SHARE)
        scores[folder] = score(outcomes(found, optimizer))
    if as_json:
        typer.echo(json.dumps({folder: asdict(one) for folder, one in scores.items()}))
        return
    typer.echo(score_table(scores))


def compare(
    models: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL...", exists=True, dir_okay=False, help="ONNX files."),
    ],
    *,
    data: Annotated[Path, DATA],
    folders: Annotated[
        list[str],
        typer.Option(
            metavar="FOLDER[:val]",
            help="Under --data; `:val` takes only what is held out. Several: by commas.",
        ),
    ],
    to: Annotated[Path, typer.Option(metavar="FILE", help="Markdown; pictures lie beside it.")],
    repeats: Annotated[
        int, typer.Option(min=1, metavar="N", help="Rounds in which each one's time is taken.")
    ] = 11,
    as_json: Annotated[bool, AS_JSON] = False,
) -> None:
    """Writes one report of networks and classical methods side by side: quality, size and speed.

    Files of the same recipe under several seeds are one row, with mean and SD.

    Example: `metercrop-models compare first.onnx second.onnx --data photos
    --folders water:val,drawn --to report.md`
    """
    from models import comparison

    titles = [title.strip() for listed in folders for title in listed.split(",") if title.strip()]
    compared = comparison.compare(models, data=data, folders=titles, repeats=repeats)
    comparison.write_report(compared, to)
    typer.echo(json.dumps(comparison.as_json(compared)) if as_json else f"the report is {to}")


def _one_of(names: type[Name], name: str, *, option: str) -> Name:
    try:
        return names(name)
    except ValueError as error:
        known = ", ".join(names)
        raise typer.BadParameter(f"{name!r} is none of {known}", param_hint=option) from error


def _failed(why: str) -> typer.Exit:
    typer.echo(f"metercrop-models: {why}", err=True)
    return typer.Exit(1)
