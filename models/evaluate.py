"""Scores an exported model by what users get: the crop that would be stored, on annotated photos.

Masks are compared in the model's square; the reading counts as held where what would be stored,
the real cut box or the whole original, contains every pixel of the annotated region.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from tqdm import tqdm

from models import datasets
from models.metrics import Agreement, agreement
from service.core.crop import Reason
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.probe import photo_of
from service.usecases.optimize import Optimizer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one annotated photo."""

    name: str
    agreement: Agreement
    confidence: float
    reason: Reason | None
    """Why the original would be kept; None for a crop."""
    held: bool
    exact: bool
    original_bytes: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class Score:
    """Means over photos, except `saved_fraction`, which is over all bytes."""

    photos: int
    dice: float
    jaccard: float
    precision: float
    recall: float
    accuracy: float
    held: float
    """Share of photos whose whole reading is in what would be stored."""
    kept: float
    exact: float
    saved_fraction: float


def outcome(example: datasets.Example, optimizer: Optimizer) -> Outcome:
    """One photo on its very way through the service, nothing stored."""
    photo = photo_of(example.image.read_bytes(), Limits())
    judged = optimizer.judged(photo)
    result = optimizer.carried_out(photo, judged)
    truth = datasets.square(example, judged.mask.frame.side)
    found = judged.mask.probabilities >= optimizer.policy.threshold
    return Outcome(
        name=example.name,
        agreement=agreement(found, truth.mask > 0),
        confidence=result.confidence,
        reason=result.reason,
        held=result.crop is None or _holds(result.crop.box, example, photo.size),
        exact=result.exact,
        original_bytes=len(photo.content),
        stored_bytes=len(result.content),
    )


def outcomes(examples: Sequence[datasets.Example], optimizer: Optimizer) -> list[Outcome]:
    return [outcome(example, optimizer) for example in tqdm(examples, "evaluating")]


def score(found: Sequence[Outcome]) -> Score:
    """Raises ValueError for no outcome at all."""
    if not found:
        raise ValueError("no annotated photo was scored; is the data folder the right one?")
    stored = sum(one.stored_bytes for one in found)
    return Score(
        photos=len(found),
        dice=fmean(one.agreement.dice for one in found),
        jaccard=fmean(one.agreement.jaccard for one in found),
        precision=fmean(one.agreement.precision for one in found),
        recall=fmean(one.agreement.recall for one in found),
        accuracy=fmean(one.agreement.accuracy for one in found),
        held=fmean(one.held for one in found),
        kept=fmean(one.reason is not None for one in found),
        exact=fmean(one.exact for one in found),
        saved_fraction=1.0 - stored / sum(one.original_bytes for one in found),
    )


def safe_confidence(found: Iterable[Outcome], *, floor: float) -> float:
    """The lowest threshold, in steps of 0.01 and not under `floor`, that loses none of `found`.

    `found` are outcomes under a policy whose `min_confidence` is 0.
    """
    lost = [one.confidence for one in found if not one.held]
    return max([floor, *(math.floor(confidence * 100 + 1) / 100 for confidence in lost)])


def _holds(box: Box, example: datasets.Example, size: tuple[int, int]) -> bool:
    """Whether `box`, in pixels of the upright photo, contains the whole annotated region."""
    region = datasets.full_mask(example, size).getbbox()
    if region is None:
        return True
    return box.contains(Box(*region))
