"""Every network and classical method on the same photos and the same machine, in one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.classical import METHODS
from models.comparison.classical_way import ClassicalWay
from models.comparison.entrants import Entrant, entrants_of
from models.comparison.folders import Folder, folder_of
from models.comparison.scenes import Scene, found_by, scenes
from models.comparison.speed import ms_at_one_thread, ms_on_gpu, processor
from models.evaluate import Score, Way, outcomes, score
from models.metrics import Spread, spread
from models.origin import Origin
from models.serving import optimizer_of
from service.adapters.onnx import cuda_is_present

REPEATS = 11


@dataclass(frozen=True, slots=True)
class Row:
    """One network, under one or more seeds, or one classical method."""

    name: str
    entrant: Entrant | None
    """None for a classical method."""
    scores: dict[str, tuple[Score, ...]]
    """By the folder's title, one a seed."""
    cpu_ms: float
    """Of one letterboxed photo, at one thread; of several seeds, the first."""
    gpu_ms: float | None
    """None where there is no GPU, or the network does not run on it as a whole."""

    @property
    def origin(self) -> Origin | None:
        """None of a classical method too."""
        return None if self.entrant is None else self.entrant.origin


@dataclass(frozen=True, slots=True)
class Machine:
    processor: str
    onnxruntime: str
    has_gpu: bool
    repeats: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One photo of the figure: `found` are masks of (height, width) by the row's name."""

    scene: Scene
    found: dict[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Comparison:
    rows: tuple[Row, ...]
    folders: tuple[Folder, ...]
    machine: Machine
    shown: tuple[Shown, ...]


def compare(
    models: Sequence[Path],
    *,
    data: Path,
    folders: Sequence[str],
    repeats: int = REPEATS,
    drawn: Sequence[Scene] | None = None,
) -> Comparison:
    """Titles of `folders` as `folder_of` takes them; `drawn` replaces the figure's photos.

    Raises ValueError, FileNotFoundError or `Misconfigured` before the long work where a file or
    folder is not what it should be.
    """
    entrants = entrants_of(models)
    origins = [origin for one in entrants for origin in one.origins]
    read = [folder_of(title, data=data, origins=origins) for title in dict.fromkeys(folders)]
    if not entrants or not read:
        raise ValueError("name at least one model and one folder to compare on")
    shown = tuple(Shown(scene, {}) for scene in drawn or scenes())
    scored = _networks_scored(entrants, read, shown) | _classical_scored(entrants, read, shown)
    cpu_ms = ms_at_one_thread(entrants, shown[0].scene, repeats=repeats)
    gpu_ms = ms_on_gpu(entrants, shown[0].scene, repeats=repeats)
    named = {one.name: one for one in entrants}
    rows = tuple(
        Row(name, named.get(name), scores, cpu_ms[name], gpu_ms.get(name))
        for name, scores in scored.items()
    )
    machine = Machine(processor(), onnxruntime.__version__, cuda_is_present(), repeats)
    return Comparison(rows, tuple(read), machine, shown)


def over_seeds(scores: Sequence[Score]) -> dict[str, Spread]:
    """Each measure by its name in `Score`, and `readings_lost`, a number of photos."""
    names = [one.name for one in fields(Score) if one.name != "photos"]
    measured = {name: spread([getattr(one, name) for one in scores]) for name in names}
    return measured | {"readings_lost": spread([one.readings_lost for one in scores])}


def _networks_scored(
    entrants: Sequence[Entrant], read: Sequence[Folder], shown: Sequence[Shown]
) -> dict[str, dict[str, tuple[Score, ...]]]:
    scored = {}
    for entrant in entrants:
        found: dict[str, tuple[Score, ...]] = {folder.title: () for folder in read}
        for number, file in enumerate(entrant.files):
            optimizer = optimizer_of(file)
            for folder in read:
                found[folder.title] += (_scored(optimizer, folder, name=entrant.name),)
            if number == 0:
                _draw(shown, optimizer, name=entrant.name)
        scored[entrant.name] = found
    return scored


def _classical_scored(
    entrants: Sequence[Entrant], read: Sequence[Folder], shown: Sequence[Shown]
) -> dict[str, dict[str, tuple[Score, ...]]]:
    like = optimizer_of(entrants[0].files[0])
    scored: dict[str, dict[str, tuple[Score, ...]]] = {}
    for name, method in METHODS.items():
        way = ClassicalWay(method, like)
        scored[name] = {folder.title: (_scored(way, folder, name=name),) for folder in read}
        _draw(shown, way, name=name)
    return scored


def _scored(way: Way, folder: Folder, *, name: str) -> Score:
    return score(outcomes(folder.examples, way, doing=f"{name} on {folder.title}"))


def _draw(shown: Sequence[Shown], way: Way, *, name: str) -> None:
    for one in shown:
        one.found[name] = found_by(way, one.scene)
