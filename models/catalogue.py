"""The recipes that ship, as text."""

from __future__ import annotations

import torch

from models.recipe import Recipe, read_recipe
from models.recipe_file import VARIED_BY, shipped, variants_of

INDENT = "    "


def catalogue() -> str:
    """A paragraph each: name, network, size and source, in what it is reduced, and its variants."""
    return "\n".join(line for name in shipped() for line in _told(name, read_recipe(name)))


def _told(name: str, recipe: Recipe) -> list[str]:
    millions = parameters(recipe) / 1e6
    network = f"{recipe.network['name']}, {millions:.2f} M parameters, {recipe.epochs} epochs"
    lines = [name, f"{INDENT}{network}; {recipe.source or 'ours'}"]
    if recipe.reduced:
        lines.append(f"{INDENT}reduced: {recipe.reduced}")
    if variants := variants_of(name):
        lines.append(INDENT + " ".join(f"{VARIED_BY}{one}" for one in variants))
    return lines


def parameters(recipe: Recipe) -> int:
    """Of the network, which is not filled for that."""
    with torch.device("meta"):
        return sum(weights.numel() for weights in recipe.build_network().parameters())
