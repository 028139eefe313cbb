"""A training run written down: one TOML file says all that it depends on, but the photos."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from models import augment, datasets
from models.networks import build


@dataclass(frozen=True, slots=True)
class DataSource:
    """A folder under the data root, and how its photos are annotated.

    Each photo that is learned from is shown `repeats` times an epoch.
    """

    folder: str
    annotation: datasets.Annotation
    validation_share: float = 0.1
    repeats: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """`window` pixels of the square are shown at a time, for `epochs`, under one rate cycle.

    A stage that was stopped before the end of its cycle says in `cycle_epochs` how long that was.
    """

    window: int
    epochs: int
    batch: int
    peak_rate: float
    cycle_epochs: int | None = None
    turned_share: float = augment.TURNED_SHARE
    covered_share: float = augment.COVERED_SHARE


@dataclass(frozen=True, slots=True)
class Recipe:
    """`side` is the model's square; training cuts its views from squares of `source_side`."""

    name: str
    seed: int
    side: int
    source_side: int
    network: dict[str, Any]
    data: tuple[DataSource, ...]
    stages: tuple[Stage, ...]
    loss_weight: float
    weight_decay: float
    average_decay: float

    def build_network(self) -> nn.Module:
        options = {key: value for key, value in self.network.items() if key != "name"}
        return build(self.network["name"], options)

    def splits(self, root: Path) -> datasets.Split:
        """(train, val) over all sources under `root`."""
        by_source = self.splits_by_source(root).values()
        return (
            [example for train, _ in by_source for example in train],
            [example for _, validation in by_source for example in validation],
        )

    def splits_by_source(self, root: Path) -> dict[str, datasets.Split]:
        """(train, val) of each source's folder."""
        found = {}
        for source in self.data:
            folder = root / source.folder
            examples = datasets.examples(folder, source.annotation)
            found[source.folder] = datasets.split(examples, folder, source.validation_share)
        return found


def read_recipe(path: Path) -> Recipe:
    """The recipe of a TOML file; raises KeyError or TypeError naming what is missing or unknown."""
    table = tomllib.loads(path.read_text())
    return Recipe(
        name=table["name"],
        seed=table["seed"],
        side=table["side"],
        source_side=table["source_side"],
        network=table["network"],
        data=tuple(
            DataSource(**{**entry, "annotation": datasets.Annotation(entry["annotation"])})
            for entry in table["data"]
        ),
        stages=tuple(Stage(**entry) for entry in table["stage"]),
        loss_weight=table["loss"]["weight"],
        **table["optimizer"],
    )
