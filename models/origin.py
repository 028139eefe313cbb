"""What an exported file tells of its training: `export` writes it, `compare` reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.recipe import Recipe

PREFIX = "metercrop.training."


@dataclass(frozen=True, slots=True)
class Origin:
    """`data` are the folders learned from, each with the share that was held out of it.

    `source` is where the recipe is from ('' for one of a utility's own), `reduced` in what it is
    smaller than there ('' where it trains in full). `data_sha256` is over the photos that were
    learned from, with their annotations.
    """

    recipe: str
    seed: int
    epochs: int
    network: dict[str, Any]
    data: dict[str, float]
    data_sha256: str
    source: str = ""
    reduced: str = ""


def origin_of(recipe: Recipe, *, data_sha256: str) -> Origin:
    return Origin(
        recipe=recipe.name,
        seed=recipe.seed,
        epochs=recipe.epochs,
        network=recipe.network,
        data={source.folder: source.validation_share for source in recipe.data},
        data_sha256=data_sha256,
        source=recipe.source,
        reduced=recipe.reduced,
    )


def as_metadata(origin: Origin) -> dict[str, str]:
    """The keys of an ONNX file's metadata."""
    return {
        f"{PREFIX}recipe": origin.recipe,
        f"{PREFIX}seed": str(origin.seed),
        f"{PREFIX}epochs": str(origin.epochs),
        f"{PREFIX}network": json.dumps(origin.network),
        f"{PREFIX}data": json.dumps(origin.data),
        f"{PREFIX}data_sha256": origin.data_sha256,
        f"{PREFIX}source": origin.source,
        f"{PREFIX}reduced": origin.reduced,
    }


def read_origin(metadata: Mapping[str, str]) -> Origin | None:
    """None where the file does not tell it: those from before it was written do not."""
    told = {
        key.removeprefix(PREFIX): value for key, value in metadata.items() if key.startswith(PREFIX)
    }
    try:
        return Origin(
            recipe=told["recipe"],
            seed=int(told["seed"]),
            epochs=int(told["epochs"]),
            network=dict(json.loads(told["network"])),
            data=dict(json.loads(told["data"])),
            data_sha256=told["data_sha256"],
            source=told["source"],
            reduced=told["reduced"],
        )
    except (KeyError, TypeError, ValueError):
        return None
