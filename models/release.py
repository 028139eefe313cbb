"""From a checkpoint to what ships: calibrated on `val`, scored, exported, with its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from models import datasets
from models.card import Provenance, card
from models.evaluate import Outcome, Score, outcomes, safe_confidence, score
from models.export import Calibration, Label, export, trained_network
from models.limits import told, worst_of
from models.recipe import Recipe
from models.serving import optimizer_of
from service.usecases.optimize import Optimizer

PICTURE_QUALITY = 80
THRESHOLD = 0.5
TRIED_MARGIN = 0.8
"""Of the margin that is served: a reading that is barely held in one photo is lost in the next."""
LOWEST_CONFIDENCE = 0.5
"""Under it a model agrees with itself by less than half; no calibration goes there."""


@dataclass(frozen=True, slots=True)
class Released:
    """What was written, and how it scored on each source's validation photos."""

    path: Path
    sha256: str
    calibration: Calibration
    scores: dict[str, Score]


def release(
    recipe: Recipe,
    checkpoint: Path,
    *,
    data: Path,
    label: Label,
    provenance: Provenance,
    to: Path,
) -> Released:
    """Writes `to` and its card.

    The confidence is the lowest that loses no reading of `val`, nor would with `TRIED_MARGIN`.
    Raises ValueError where no source holds a photo out to measure on.
    """
    network = trained_network(recipe, checkpoint)
    label = replace(label, data_sha256=provenance.data_sha256)

    def written(calibration: Calibration, model: Path) -> str:
        return export(recipe, network, calibration=calibration, label=label, to=model)

    return released(recipe, written, data=data, label=label, provenance=provenance, to=to)


def released(
    recipe: Recipe,
    written: Callable[[Calibration, Path], str],
    *,
    data: Path,
    label: Label,
    provenance: Provenance,
    to: Path,
) -> Released:
    """As `release`, of what `written` writes; it returns the SHA-256."""
    held_out = {name: val for name, (_, val) in recipe.splits_by_source(data).items() if val}
    if not held_out:
        raise ValueError("no photo is held out to calibrate on; give a source a validation_share")
    # Beside its place until it is whole: a model that trusts everything must never lie there.
    with TemporaryDirectory(dir=to.parent) as folder:
        model = Path(folder) / to.name

        def exported(min_confidence: float) -> tuple[str, Optimizer]:
            sha256 = written(Calibration(THRESHOLD, min_confidence), model)
            card_of(model).write_text(sha256)
            return sha256, optimizer_of(model)

        _, trusting = exported(0.0)
        narrow = replace(trusting.policy, margin=TRIED_MARGIN * trusting.policy.margin)
        tried = replace(trusting, policy=narrow)
        trial = [one for val in held_out.values() for one in outcomes(val, tried)]
        calibration = Calibration(THRESHOLD, safe_confidence(trial, floor=LOWEST_CONFIDENCE))
        sha256, optimizer = exported(calibration.min_confidence)
        found = {name: outcomes(val, optimizer) for name, val in held_out.items()}
        scores = {name: score(each) for name, each in found.items()}
        worst = _drawn_worst(held_out, found, optimizer, provenance.shown)
        if worst:
            worst.save(picture_of(model), quality=PICTURE_QUALITY)
        text = card(
            recipe,
            label,
            calibration=calibration,
            provenance=provenance,
            sha256=sha256,
            scores=scores,
            limits=told(found, picture=picture_of(to).name if worst else None),
        )
        card_of(model).write_text(text)
        if worst:
            picture_of(model).replace(picture_of(to))
        card_of(model).replace(card_of(to))
        model.replace(to)
    return Released(to, sha256, calibration, scores)


def _drawn_worst(
    held_out: Mapping[str, Sequence[datasets.Example]],
    found: Mapping[str, Sequence[Outcome]],
    optimizer: Optimizer,
    shown: Sequence[str],
) -> Image.Image | None:
    examples = [example for name in shown for example in held_out.get(name, ())]
    outcomes = [one for name in shown for one in found.get(name, ())]
    return worst_of(examples, outcomes, optimizer) if examples else None


def provenance_of(
    recipe: Recipe, recipe_path: Path, *, data: Path, terms: str, shown: Sequence[str] = ()
) -> Provenance:
    """Raises ValueError where the recipe has no folder that is to be `shown`."""
    folders = [source.folder for source in recipe.data]
    if unknown := set(shown) - set(folders):
        raise ValueError(f"no {sorted(unknown)} to show; the recipe has {', '.join(folders)}")
    learned, _ = recipe.splits(data)
    data_sha256 = datasets.fingerprint(learned)
    return Provenance(recipe_path.name, len(learned), data_sha256, terms, tuple(shown))


def card_of(model: Path) -> Path:
    """Where the card of a model lies."""
    return model.with_suffix(".md")


def picture_of(model: Path) -> Path:
    """Where the picture of its failures lies, if there is one."""
    return model.with_suffix(".webp")
