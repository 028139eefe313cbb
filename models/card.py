"""The model card: what a weights file is, may be used for, and was measured to do.

The service starts only with a file whose SHA-256 its card names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.evaluate import Score
from models.export import Calibration, Label
from models.recipe import Recipe

COLUMNS = (
    *("photos", "Dice", "Jaccard", "precision", "recall", "accuracy", "mIoU", "box IoU"),
    *("held", "kept", "exact", "saved"),
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the weights come from; `terms` says in words what they may be used for.

    Photos of the folders `shown` may be drawn in the card.
    """

    recipe_path: str
    photos: int
    data_sha256: str
    terms: str
    shown: tuple[str, ...] = ()


def card(
    recipe: Recipe,
    label: Label,
    *,
    calibration: Calibration,
    provenance: Provenance,
    sha256: str,
    scores: Mapping[str, Score],
    limits: str,
) -> str:
    """Markdown; `scores` are by the name of what was scored, `limits` is a paragraph or more."""
    return f"""# {recipe.name} {label.version}

| | |
| --- | --- |
| SHA-256 | `{sha256}` |
| licence of the weights | {label.licence} |
| network | {", ".join(f"{key} {value}" for key, value in recipe.network.items())} |
| recipe | `{provenance.recipe_path}`, seed {recipe.seed} |
| trained on | {provenance.photos} photos, with their annotations `{provenance.data_sha256}` |
| input | RGB, {recipe.side} x {recipe.side} pixels, letterboxed on grey 128 |
| threshold of a pixel | {calibration.threshold} |
| confidence from which a crop is trusted | {calibration.min_confidence} |

{provenance.terms}

## Measured

Masks are compared in the model's square, means over photos; *mIoU* is of region and background,
*box IoU* of the region's box with the annotated one, whatever was decided about it. *Held* is the
share of photos whose whole reading is in what would be stored (a kept original counts), *kept* the
share of originals kept, *exact* the share whose region decodes to the very pixels of the original,
*saved* the share of all bytes. The confidence was chosen on the validation photos, so that none of
their readings is lost, nor would be with a margin a fifth narrower: their figures are for choosing
between models, not a promise for other photos.

{score_table(scores)}

## Limits

{limits}
"""


def score_table(scores: Mapping[str, Score]) -> str:
    """A Markdown table, a row each."""
    lines = [f"| on | {' | '.join(COLUMNS)} |", "| --- |" + " ---: |" * len(COLUMNS)]
    for name, one in scores.items():
        plain = (one.dice, one.jaccard, one.precision, one.recall, one.accuracy)
        masks = (*plain, one.miou, one.box_iou)
        shares = (one.held, one.kept, one.exact, one.saved_fraction)
        cells = [str(one.photos), *(f"{value:.3f}" for value in masks)]
        cells += [f"{value:.1%}" for value in shares]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
