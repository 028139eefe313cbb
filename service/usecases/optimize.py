"""The one way of a photo: decoded, segmented, decided, encoded; uploads and batches share it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from time import perf_counter

from PIL import Image

from service.core.crop import Crop, CropPolicy, Kept, Mask, Reason, decide
from service.core.encoding import Encoding
from service.core.photo import Photo, PhotoFormat
from service.core.record import CropRecord
from service.imaging.decode import decoded
from service.imaging.encode import EncodedCrop, encoded_crop
from service.imaging.model_input import model_input
from service.ports import Segmenter


@dataclass(frozen=True, slots=True)
class Judged:
    """A decoded photo with what the model sees in it and what follows from that."""

    raw: Image.Image
    mask: Mask
    decision: Crop | Kept
    decode_ms: float
    segment_ms: float


@dataclass(frozen=True, slots=True)
class Optimized:
    """What is to be stored in place of the original, which it may be itself."""

    content: bytes
    format: PhotoFormat
    width: int
    height: int
    exact: bool
    crop: CropRecord | None
    reason: Reason | None
    confidence: float
    decode_ms: float
    segment_ms: float
    crop_ms: float


@dataclass(frozen=True, slots=True)
class Optimizer:
    """The model and the rules that a process works by."""

    segmenter: Segmenter
    policy: CropPolicy
    encoding: Encoding
    keep_gps: bool

    def judged(self, photo: Photo) -> Judged:
        """The decision on a photo; raises `PhotoRejected` where it cannot be decoded whole."""
        started = perf_counter()
        raw = decoded(photo)
        decode_ms = _ms_since(started)
        started = perf_counter()
        pixels, frame = model_input(raw, photo.orientation, side=self.segmenter.description.side)
        mask = Mask(self.segmenter.probabilities(pixels), frame)
        decision = decide(mask, self.policy)
        return Judged(raw, mask, decision, decode_ms, _ms_since(started))

    def optimized(self, photo: Photo) -> Optimized:
        """The crop, or the original and why it is kept; never larger than the original."""
        return self.carried_out(photo, self.judged(photo))

    def carried_out(self, photo: Photo, judged: Judged) -> Optimized:
        """What the decision on a photo comes to."""
        started = perf_counter()
        match judged.decision:
            case Kept(reason, _):
                return _original(photo, judged, reason)
            case Crop() as crop:
                encoded = self._encoded(photo, judged.raw, crop)
        if encoded is None:
            return _original(photo, judged, Reason.NO_GAIN, crop_ms=_ms_since(started))
        return Optimized(
            content=encoded.content,
            format=encoded.format,
            width=encoded.box.width,
            height=encoded.box.height,
            exact=encoded.exact,
            crop=CropRecord(encoded.box, crop.region),
            reason=None,
            confidence=crop.confidence,
            decode_ms=judged.decode_ms,
            segment_ms=judged.segment_ms,
            crop_ms=_ms_since(started),
        )

    def fingerprint(self, original_sha256: str) -> str:
        """The same for the same photo, model and rules: the name of what comes out."""
        rules = (self.policy, str(self.encoding), self.keep_gps)
        parts = (original_sha256, self.segmenter.description.sha256, repr(rules))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _encoded(self, photo: Photo, raw: Image.Image, crop: Crop) -> EncodedCrop | None:
        """None where the crop would save nothing."""
        encoded = encoded_crop(
            photo,
            raw,
            box=crop.box,
            region=crop.region,
            encoding=self.encoding,
            keep_gps=self.keep_gps,
        )
        return encoded if len(encoded.content) < len(photo.content) else None


def _original(photo: Photo, judged: Judged, reason: Reason, *, crop_ms: float = 0.0) -> Optimized:
    width, height = photo.size
    return Optimized(
        content=photo.content,
        format=photo.format,
        width=width,
        height=height,
        exact=True,
        crop=None,
        reason=reason,
        confidence=judged.decision.confidence,
        decode_ms=judged.decode_ms,
        segment_ms=judged.segment_ms,
        crop_ms=crop_ms,
    )


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000.0
