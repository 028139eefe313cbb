"""Where a model falls short on the photos that it was measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from PIL import Image

from models import datasets, preview
from models.evaluate import Outcome
from service.core.crop import Reason
from service.usecases.optimize import Optimizer


def told(found: Mapping[str, Sequence[Outcome]], *, picture: str | None) -> str:
    """As Markdown; `picture` is the file that `worst_of` was saved to, if it was."""
    kept = f"How many originals were kept, and why:\n\n{kept_table(found)}"
    if picture is None:
        return kept
    return f"""{kept}

Where its mask agrees least with the truth (green what is true, red what it found):

![Failures]({picture})"""


def kept_table(found: Mapping[str, Sequence[Outcome]]) -> str:
    """By source and reason."""
    kept = {name: Counter(one.reason for one in outcomes) for name, outcomes in found.items()}
    reasons = [reason for reason in Reason if any(counted[reason] for counted in kept.values())]
    lines = [
        f"| on | photos | {' | '.join(['cropped', *(r.replace('_', ' ') for r in reasons)])} |",
        "| --- |" + " ---: |" * (len(reasons) + 2),
    ]
    for name, counted in kept.items():
        numbers = (counted.total(), counted[None], *(counted[reason] for reason in reasons))
        lines.append(f"| {name} | {' | '.join(str(number) for number in numbers)} |")
    return "\n".join(lines)


def worst_of(
    examples: Sequence[datasets.Example], found: Sequence[Outcome], optimizer: Optimizer
) -> Image.Image:
    """Those whose mask agrees least with the truth, worst first, drawn with both."""
    by_dice = sorted(zip(found, examples, strict=True), key=lambda pair: pair[0].agreement.dice)
    side = optimizer.segmenter.description.side
    squares = [datasets.square(example, side) for _, example in by_dice[: preview.PHOTOS]]
    probabilities = [optimizer.segmenter.probabilities(square.pixels) for square in squares]
    return preview.contact_sheet(squares, [p >= optimizer.policy.threshold for p in probabilities])
