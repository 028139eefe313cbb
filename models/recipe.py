"""A training run written down: one TOML file says all that it depends on, but the photos."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from torch import nn

from models import augment, datasets
from models.learner import Optimizer, Schedule
from models.losses import Loss
from models.networks import build
from models.recipe_file import table_of

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class DataSource:
    """A folder under the data root, and how its photos are annotated; unset: as it looks.

    Each photo that is learned from is shown `repeats` times an epoch. Of polygons that have labels,
    only those called `label` are the region; unset: all.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    folder: str
    annotation: datasets.Annotation | None = None
    validation_share: Share = 0.1
    repeats: Count = 1
    label: str | None = None

    def examples(self, root: Path) -> list[datasets.Example]:
        folder = root / self.folder
        annotation = self.annotation or datasets.annotation_of(folder)
        return datasets.examples(folder, annotation, label=self.label)


@dataclass(frozen=True, slots=True)
class Stage:
    """`window` pixels of the square are shown at a time, for `epochs`; the schedule starts anew.

    `peak_rate` is the optimizer's where it is unset. A stage that was stopped before the end of its
    rate cycle says in `cycle_epochs` how long that was. The shares are those of the augmentation
    `phones`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    window: Count
    epochs: Count
    batch: Count
    peak_rate: Annotated[float | None, Field(gt=0.0)] = None
    cycle_epochs: Count | None = None
    turned_share: Share = augment.TURNED_SHARE
    covered_share: Share = augment.COVERED_SHARE


@dataclass(frozen=True, slots=True)
class Recipe:
    """`side` is the model's square; training cuts its views from squares of `source_side`.

    `source` says where the recipe is from, `reduced` in what it is smaller than there.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    seed: Annotated[int, Field(ge=0)]
    side: Count
    source_side: Count
    network: dict[str, Any]
    data: Annotated[tuple[DataSource, ...], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    loss: Loss = field(default_factory=Loss)
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    augmentation: augment.Augmentation = augment.Augmentation.PHONES
    source: str = ""
    reduced: str = ""

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    def rate_of(self, stage: Stage) -> float:
        """Its peak; raises ValueError where neither stage nor optimizer says one."""
        rate = stage.peak_rate or self.optimizer.rate
        if rate is None:
            raise ValueError(
                f"{self.name} says no rate: give [optimizer] one, or each stage a peak_rate"
            )
        return rate

    def build_network(self) -> nn.Module:
        """Freshly initialized; raises ValueError for a name or an option that is not known."""
        options = {key: value for key, value in self.network.items() if key != "name"}
        try:
            return build(self.network["name"], options)
        except KeyError as error:
            raise ValueError(f"the [network] of {self.name} has no {error}") from error
        except TypeError as error:
            raise ValueError(f"the [network] of {self.name} does not fit: {error}") from error

    def splits(self, root: Path) -> datasets.Split:
        """(train, val) over all sources under `root`."""
        by_source = self.splits_by_source(root).values()
        return (
            [example for train, _ in by_source for example in train],
            [example for _, validation in by_source for example in validation],
        )

    def splits_by_source(self, root: Path) -> dict[str, datasets.Split]:
        """(train, val) of each source's folder."""
        return {
            source.folder: datasets.split(
                source.examples(root), root / source.folder, source.validation_share
            )
            for source in self.data
        }


def read_recipe(reference: str | Path) -> Recipe:
    """A TOML file, or the name of a shipped recipe, with `+` and a variant where one is wanted.

    Raises FileNotFoundError, or ValueError that names what is missing, unknown or no such value.
    """
    table = table_of(reference)
    said = {"stages" if key == "stage" else key: value for key, value in table.items()}
    try:
        recipe = TypeAdapter(Recipe).validate_python(said)
    except ValidationError as error:
        wrong = "; ".join(map(_told, error.errors(include_url=False)))
        raise ValueError(f"the recipe {reference}: {wrong}") from error
    for stage in recipe.stages:
        recipe.rate_of(stage)
    return recipe


def _told(error: ErrorDetails) -> str:
    """`[stage] 2 epocs is not known`; tables of a list are counted from 1."""
    first, *inside = error["loc"]
    table = "stage" if first == "stages" else str(first)
    steps = [f"[{table}]" if inside else table]
    steps += [str(step + 1) if isinstance(step, int) else step for step in inside]
    match error["type"]:
        case "unexpected_keyword_argument":
            said = "is not known"
        case "missing" | "missing_argument":
            said = "is missing"
        case _:
            said = f"is {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"
    return f"{' '.join(steps)} {said}"
