"""How each row came to be, as its file tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.comparison.comparison import Row
from models.comparison.tables import ABSENT, table
from models.origin import Origin


def how_trained(rows: Sequence[Row]) -> str:
    heads = (
        "network or method",
        "recipe",
        "training",
        "network",
        "epochs",
        "seeds",
        "learned from",
        "trusted from",
    )
    return table(heads, ([row.name, *_cells(row)] for row in rows), words=len(heads))


def _cells(row: Row) -> list[str]:
    if row.entrant is None:
        return [ABSENT, "none: a fixed rule", *[ABSENT] * 5]
    trusted = ", ".join(f"{one:.2f}" for one in row.entrant.min_confidences)
    origin = row.entrant.origin
    if origin is None:
        return ["not told by the file", *["not told"] * 5, trusted]
    data = ", ".join(origin.data)
    return [
        origin.recipe,
        _form(origin),
        _network(origin.network),
        str(origin.epochs),
        ", ".join(str(seed) for seed in row.entrant.seeds),
        f"{data} (`{origin.data_sha256[:12]}`)",
        trusted,
    ]


def _network(network: Mapping[str, Any]) -> str:
    """Its name, then its widths and whatever else the recipe chose."""
    chosen = (f"{key} {value}" for key, value in network.items() if key != "name")
    return ", ".join((str(network.get("name", "?")), *chosen))


def _form(origin: Origin) -> str:
    if origin.reduced:
        return f"**small form** of {origin.source or origin.recipe}: {origin.reduced}"
    return f"in full, by {origin.source}" if origin.source else "in full, by its own recipe"
