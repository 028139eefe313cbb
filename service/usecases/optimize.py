"""The one way of a photo: decoded, segmented, decided, encoded; uploads and batches share it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from time import perf_counter

import structlog
from PIL import Image

from service.core.crop import Crop, CropPolicy, Kept, Mask, Reason, decide
from service.core.encoding import Encoding
from service.core.photo import Photo, PhotoFormat
from service.core.record import CropRecord
from service.imaging.context import ContextImage, context_image
from service.imaging.encode import EncodedCrop, encoded_crop
from service.imaging.raw_frame import RawFrame, raw_frame
from service.ports import Segmenter


@dataclass(frozen=True, slots=True)
class Judged:
    """A photo that is whole, with what the model sees in it and what follows from that."""

    frame: RawFrame
    mask: Mask
    decision: Crop | Kept
    decode_ms: float
    segment_ms: float

    @property
    def raw(self) -> Image.Image:
        """Its pixels, not yet turned; a JPEG's are decoded when they are first asked for."""
        return self.frame.pixels


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
    """With the context picture."""
    context: ContextImage | None = None
    """To be stored beside a crop."""

    @property
    def kept_bytes(self) -> int:
        """Of all that is to be stored."""
        return len(self.content) + (0 if self.context is None else len(self.context.content))


@dataclass(frozen=True, slots=True)
class Optimizer:
    """The model and the rules that a process works by."""

    segmenter: Segmenter
    policy: CropPolicy
    encoding: Encoding
    keep_gps: bool
    context_px: int
    """The longer side of the context pictures, 0 for none."""

    def judged(self, photo: Photo) -> Judged:
        """The decision on a photo; raises `PhotoRejected` where it cannot be decoded whole."""
        side = self.segmenter.description.side
        started = perf_counter()
        frame = raw_frame(photo, side=side)
        decode_ms = _ms_since(started)
        started = perf_counter()
        pixels, letterbox = frame.model_input(side=side)
        mask = Mask(self.segmenter.probabilities(pixels), letterbox)
        decision = decide(mask, self.policy)
        return Judged(frame, mask, decision, decode_ms, _ms_since(started))

    def optimized(self, photo: Photo) -> Optimized:
        """The crop, or the original and why it is kept; never larger than the original.

        A crop that saves too little for a context picture beside it comes without one.
        """
        return self.carried_out(photo, self.judged(photo))

    def carried_out(self, photo: Photo, judged: Judged) -> Optimized:
        """What the decision on a photo comes to."""
        started = perf_counter()
        match judged.decision:
            case Kept(reason, _):
                return _original(photo, judged, reason)
            case Crop() as crop:
                encoded = self._encoded(judged.frame, crop)
        if encoded is None:
            return _original(photo, judged, Reason.NO_GAIN, crop_ms=_ms_since(started))
        context = self._context(judged.frame, beside=encoded)
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
            context=context,
        )

    def fingerprint(self, original_sha256: str) -> str:
        """The same for the same photo, model and rules: the name of what comes out.

        Whether a context picture lies beside it is no rule: who asks for another one wants no
        archive made anew.
        """
        rules = (self.policy, str(self.encoding), self.keep_gps)
        parts = (original_sha256, self.segmenter.description.sha256, repr(rules))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _encoded(self, frame: RawFrame, crop: Crop) -> EncodedCrop | None:
        """None where the crop would save nothing."""
        encoded = encoded_crop(
            frame,
            box=crop.box,
            region=crop.region,
            encoding=self.encoding,
            keep_gps=self.keep_gps,
        )
        return encoded if len(encoded.content) < len(frame.photo.content) else None

    def _context(self, frame: RawFrame, *, beside: EncodedCrop) -> ContextImage | None:
        """None where both together would save nothing, or it can't be made."""
        if self.context_px == 0:
            return None
        try:
            seen = frame.rendition(long_side=self.context_px)
            context = context_image(seen, frame.photo.orientation, long_side=self.context_px)
        except Exception:  # noqa: BLE001  a picture for people to look at must not cost the photo
            structlog.get_logger().exception("photo.no_context", sha256=frame.photo.sha256)
            return None
        fits = len(beside.content) + len(context.content) < len(frame.photo.content)
        return context if fits else None


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
