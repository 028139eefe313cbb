"""Scores an exported model by what users get: the crop that would be stored, on annotated photos.

Masks are compared in the model's square; the reading counts as held where what would be stored,
the real cut box or the whole original, contains every pixel of the annotated region.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from tqdm import tqdm

from models import datasets
from models.metrics import Agreement, agreement, box_iou
from service.core.crop import Crop, CropPolicy, Reason, main_region
from service.core.geometry import Box
from service.core.photo import Limits, Photo
from service.imaging.probe import photo_of
from service.usecases.optimize import Judged, Optimized


class Way(Protocol):
    """How a photo goes from its bytes to what is stored; the service's `Optimizer` is one."""

    @property
    def policy(self) -> CropPolicy: ...

    def judged(self, photo: Photo) -> Judged: ...

    def carried_out(self, photo: Photo, judged: Judged) -> Optimized: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one annotated photo."""

    name: str
    agreement: Agreement
    box_iou: float
    """Of the region's box, whatever was decided about it."""
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
    miou: float
    """Of region and background, taken a photo."""
    box_iou: float
    held: float
    """Share of photos whose whole reading is in what would be stored."""
    kept: float
    exact: float
    saved_fraction: float

    @property
    def readings_lost(self) -> int:
        return round((1.0 - self.held) * self.photos)


def outcome(example: datasets.Example, way: Way) -> Outcome:
    """One photo on its very way through the service, nothing stored."""
    photo = photo_of(example.image.read_bytes(), Limits())
    judged = way.judged(photo)
    result = way.carried_out(photo, judged)
    truth = datasets.square(example, judged.mask.frame.side)
    region = _region_of(example, photo.size)
    found = judged.mask.probabilities >= way.policy.threshold
    return Outcome(
        name=example.name,
        agreement=agreement(found, truth.mask > 0),
        box_iou=box_iou(_found(judged, way.policy), region),
        confidence=result.confidence,
        reason=result.reason,
        held=result.crop is None or region is None or result.crop.box.contains(region),
        exact=result.exact,
        original_bytes=len(photo.content),
        stored_bytes=len(result.content),
    )


def outcomes(
    examples: Sequence[datasets.Example], way: Way, *, doing: str = "evaluating"
) -> list[Outcome]:
    """Of all, with a progress bar that says what it is `doing`."""
    return [outcome(example, way) for example in tqdm(examples, doing)]


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
        miou=fmean(one.agreement.miou for one in found),
        box_iou=fmean(one.box_iou for one in found),
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


def _region_of(example: datasets.Example, size: tuple[int, int]) -> Box | None:
    """What bounds the whole annotated region, in pixels of the upright photo."""
    bounds = datasets.full_mask(example, size).getbbox()
    return None if bounds is None else Box(*bounds)


def _found(judged: Judged, policy: CropPolicy) -> Box | None:
    """The region's box in pixels of the upright photo, whatever was decided about it."""
    if isinstance(judged.decision, Crop):
        return judged.decision.region
    found = main_region(judged.mask, policy)
    return None if found is None else judged.mask.frame.to_photo(found[0].box)
