"""Where training stands, as a file that is there whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from models.learner import Learner
from models.recipe import Recipe


def save(path: Path, learner: Learner, *, recipe: Recipe) -> None:
    beside = path.with_suffix(".partial")
    torch.save({**learner.state(), "recipe": recipe.name, "seed": recipe.seed}, beside)
    beside.replace(path)


def require_own(path: Path, recipe: Recipe) -> None:
    """Raises ValueError where another recipe, or another seed, wrote what lies at `path`."""
    if path.exists() and as_trained(recipe, path).seed != recipe.seed:
        raise ValueError(
            f"{path} was trained with another seed than {recipe.seed}; choose another folder"
        )


def as_trained(recipe: Recipe, path: Path) -> Recipe:
    """The recipe with the seed of the checkpoint; raises ValueError where that is of another."""
    state = read(path)  # one from before these were written down is believed
    name = state.get("recipe", recipe.name)
    if name != recipe.name:
        raise ValueError(f"{path} was trained by the recipe {name}, not by {recipe.name}")
    return replace(recipe, seed=state.get("seed", recipe.seed))


def epochs_done(path: Path) -> int:
    """0 where there is no checkpoint."""
    return int(read(path)["epoch"]) if path.exists() else 0


def resume(learner: Learner, path: Path, *, first: int, last: int) -> None:
    """Takes up where it was stopped; optimizer and schedule only if that was within this stage.

    Raises ValueError where the network has changed since.
    """
    if not path.exists():
        return
    state = read(path)
    try:
        learner.network.load_state_dict(state["network"])
        learner.averaged.load_state_dict(state["averaged"])
    except RuntimeError as error:  # it lists every weight
        raise ValueError(f"{path} holds another network than the recipe says") from error
    learner.epoch, learner.rows = state["epoch"], state["rows"]
    if first < learner.epoch < last:
        learner.optimizer.load_state_dict(state["optimizer"])
        learner.schedule.load_state_dict(state["schedule"])
        if state.get("scaler"):  # only half precision on a GPU has one
            learner.scaler.load_state_dict(state["scaler"])


def read(path: Path) -> dict[str, Any]:
    """Raises ValueError for what is no checkpoint."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    except (EOFError, RuntimeError, UnpicklingError) as error:
        raise ValueError(f"{path} is no checkpoint of `metercrop-models train`") from error
    return state
