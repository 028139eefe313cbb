"""The files that are compared, as rows: one recipe under several seeds is one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from models.comparison.graph import Cost, cost_of
from models.origin import Origin, read_origin
from models.serving import segmenter_of

NAME = "metercrop.name"


@dataclass(frozen=True, slots=True)
class Entrant:
    """`files` and `origins` are in step, one a seed; files that tell no origin stand alone."""

    name: str
    files: tuple[Path, ...]
    origins: tuple[Origin, ...]
    cost: Cost
    """Of each of the files, which differ in their weights alone."""
    bytes: int
    min_confidences: tuple[float, ...]

    @property
    def origin(self) -> Origin | None:
        """What is the same for all seeds is read from the first."""
        return self.origins[0] if self.origins else None

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(origin.seed for origin in self.origins)


def entrants_of(files: Sequence[Path]) -> list[Entrant]:
    """In the order of the files; raises `Misconfigured` for one that the service would not load."""
    found: list[Entrant] = []
    for file in dict.fromkeys(files):
        entrant = _entrant(file)
        number = next((n for n, one in enumerate(found) if _are_one(one, entrant)), None)
        if number is None:
            found.append(entrant)
        else:
            found[number] = _joined(found[number], entrant)
    return _with_names_apart(found)


def _entrant(file: Path) -> Entrant:
    said = segmenter_of(file).description
    model = onnx.load(file)
    try:
        cost = cost_of(model)
    except ValueError as error:
        raise ValueError(f"{file} cannot be compared: {error}") from error
    origin = read_origin({prop.key: prop.value for prop in model.metadata_props})
    return Entrant(
        name=said.name,
        files=(file,),
        origins=() if origin is None else (origin,),
        cost=cost,
        bytes=file.stat().st_size,
        min_confidences=(said.min_confidence,),
    )


def _are_one(row: Entrant, other: Entrant) -> bool:
    """Whether they differ in the seed alone, and do differ in it."""
    if row.origin is None or other.origin is None or row.name != other.name:
        return False
    alike = replace(other.origin, seed=row.origin.seed) == row.origin
    return alike and row.cost == other.cost and other.origin.seed not in row.seeds


def _joined(row: Entrant, other: Entrant) -> Entrant:
    return replace(
        row,
        files=row.files + other.files,
        origins=row.origins + other.origins,
        min_confidences=row.min_confidences + other.min_confidences,
    )


def _with_names_apart(rows: list[Entrant]) -> list[Entrant]:
    """Rows whose files bear the same name are told apart by the names of their files."""
    for name_of in (_stem, _path):
        times = Counter(row.name for row in rows)
        rows = [replace(row, name=name_of(row)) if times[row.name] > 1 else row for row in rows]
    return rows


def _stem(row: Entrant) -> str:
    return row.files[0].stem


def _path(row: Entrant) -> str:
    return str(row.files[0])
