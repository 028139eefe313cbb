"""The decision: a mask becomes a crop, or a reason why the original is kept.

Refusing is an answer. Every rule is a named value of `CropPolicy`; none needs the photo's pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from service.core.geometry import Box, Letterbox
from service.core.regions import Region, regions_of


class Reason(StrEnum):
    """Why an original was kept."""

    NO_REGION = "no_region"
    LOW_CONFIDENCE = "low_confidence"
    SEVERAL_REGIONS = "several_regions"
    REGION_AT_BORDER = "region_at_border"
    NO_GAIN = "no_gain"
    RESTORED = "restored"
    """Somebody brought it back after it had been cropped."""


@dataclass(frozen=True, slots=True)
class Mask:
    """How probably each pixel of the model's square belongs to the reading."""

    probabilities: NDArray[np.float32]  # (side, side), 0..1
    frame: Letterbox


@dataclass(frozen=True, slots=True)
class CropPolicy:
    """The rules, in the order in which they are asked."""

    threshold: float = 0.5
    """A pixel at least this probable belongs to a region."""
    min_region_px: int = 12
    """Smaller regions, in pixels of the model's square, are specks and not looked at."""
    join_distance: float = 0.5
    """Pieces closer than this share of the main region's longer side are one region (a glare
    across a counter cuts it in two)."""
    rival_share: float = 0.25
    """Another region with this share of the main one's weight makes it several regions."""
    min_confidence: float = 0.8
    """Under it the original is kept."""
    margin: float = 0.25
    """Added on each side, as a share of the region's longer side."""


@dataclass(frozen=True, slots=True)
class Crop:
    """Cut to `box`; `region` is what the model found in it. Both in upright photo pixels."""

    box: Box
    region: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class Kept:
    """Keep the original; `confidence` is 0 where nothing was found."""

    reason: Reason
    confidence: float


def decide(mask: Mask, policy: CropPolicy) -> Crop | Kept:
    """What to do with the photo that the mask was made of."""
    found = main_region(mask, policy)
    if found is None:
        return Kept(Reason.NO_REGION, 0.0)
    region, rivals = found
    confidence = expected_dice(mask.probabilities, region)
    if any(rival.weight >= policy.rival_share * region.weight for rival in rivals):
        return Kept(Reason.SEVERAL_REGIONS, confidence)
    if _touches_border(region.box, mask.frame.inner):
        return Kept(Reason.REGION_AT_BORDER, confidence)
    if confidence < policy.min_confidence:
        return Kept(Reason.LOW_CONFIDENCE, confidence)
    in_photo = mask.frame.to_photo(region.box)
    return Crop(crop_around(in_photo, mask.frame, margin=policy.margin), in_photo, confidence)


def main_region(mask: Mask, policy: CropPolicy) -> tuple[Region, list[Region]] | None:
    """The heaviest region joined with its close pieces, and the others; None where none is."""
    found = _large_regions(mask, policy)
    if not found:
        return None
    main, others = found[0], found[1:]
    reach = math.ceil(policy.join_distance * max(main.box.width, main.box.height))
    near = [other for other in others if main.box.padded(reach).meets(other.box)]
    for piece in near:
        main = main.joined(piece)
    return main, [other for other in others if other not in near]


def crop_around(region: Box, frame: Letterbox, *, margin: float) -> Box:
    """The region with `margin` times its longer side on each side, within the photo."""
    margin_px = math.ceil(margin * max(region.width, region.height))
    return region.padded(margin_px).clipped(frame.width, frame.height)


def expected_dice(probabilities: NDArray[np.float32], region: Region) -> float:
    """The Dice coefficient that the probabilities themselves promise for this region, 0..1.

    2 sum(p m) / (sum(p) + sum(m)): falls where the model wavers inside the region and where it
    suspects more outside of it.
    """
    inside = region.sum_of(probabilities)
    return 2.0 * inside / (float(probabilities.sum()) + region.area_px)


def _large_regions(mask: Mask, policy: CropPolicy) -> list[Region]:
    """The regions on the photo itself, heaviest first; what lies in the padding is no finding."""
    inner = mask.frame.inner
    on_photo = np.zeros_like(mask.probabilities)
    window = np.s_[inner.top : inner.bottom, inner.left : inner.right]
    on_photo[window] = mask.probabilities[window]
    found = regions_of(on_photo, threshold=policy.threshold, min_area_px=policy.min_region_px)
    return sorted(found, key=lambda region: region.weight, reverse=True)


def _touches_border(region: Box, inner: Box) -> bool:
    return (
        region.left <= inner.left
        or region.top <= inner.top
        or region.right >= inner.right
        or region.bottom >= inner.bottom
    )
