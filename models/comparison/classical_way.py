"""A photo's way with a classical method in the network's place.

Such a method has no confidence: what bounds its mask is cut out, trusted wholly, with the margin
that every crop gets. It sees the letterboxed photo without the grey bars.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from service.core.crop import Crop, CropPolicy, Kept, Mask, Reason, crop_around
from service.core.geometry import Letterbox
from service.core.photo import Photo
from service.core.regions import bounds_of
from service.imaging.raw_frame import raw_frame
from service.usecases.optimize import Judged, Optimized, Optimizer

Method = Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
"""(height, width, 3) to (height, width)."""


@dataclass(frozen=True, slots=True)
class ClassicalWay:
    """Cuts and stores as `like` does, whose network it asks nothing."""

    method: Method
    like: Optimizer

    @property
    def policy(self) -> CropPolicy:
        return replace(self.like.policy, threshold=0.5, min_confidence=0.0)

    def judged(self, photo: Photo) -> Judged:
        side = self.like.segmenter.description.side
        started = perf_counter()
        frame = raw_frame(photo, side=side)
        pixels, letterbox = frame.model_input(side=side)
        decoded = perf_counter()
        mask = Mask(found_in(pixels, letterbox, self.method), letterbox)
        decision = boxed(mask, self.policy)
        ended = perf_counter()
        return Judged(frame, mask, decision, (decoded - started) * 1e3, (ended - decoded) * 1e3)

    def carried_out(self, photo: Photo, judged: Judged) -> Optimized:
        return self.like.carried_out(photo, judged)


def found_in(
    pixels: NDArray[np.uint8], letterbox: Letterbox, method: Method
) -> NDArray[np.float32]:
    """(side, side), 1 where the method finds the region, 0 elsewhere and on the bars."""
    inner = letterbox.inner
    window = np.s_[inner.top : inner.bottom, inner.left : inner.right]
    found = np.zeros(pixels.shape[:2], dtype=np.float32)
    found[window] = method(pixels[window])
    return found


def boxed(mask: Mask, policy: CropPolicy) -> Crop | Kept:
    """Cut to all that was found, however scattered."""
    found = mask.probabilities > 0
    if not found.any():
        return Kept(Reason.NO_REGION, 0.0)
    region = mask.frame.to_photo(bounds_of(found))
    return Crop(crop_around(region, mask.frame, margin=policy.margin), region, confidence=1.0)
