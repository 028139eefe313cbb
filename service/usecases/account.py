"""A photo's account: what came of it, put together for the ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter

from uuid_utils.compat import uuid7

from service.core.photo import Photo, sha256_of
from service.core.record import (
    Capture,
    ContextPicture,
    ModelUsed,
    OriginalPhoto,
    Record,
    Source,
    Status,
    StoredPhoto,
    TimingsMs,
)
from service.usecases.optimize import Optimized, Optimizer


@dataclass(frozen=True, slots=True)
class Entry:
    """All of an account that the optimizer does not know; moments are of `perf_counter`."""

    capture: Capture
    source: Source
    received_at: datetime
    original: OriginalPhoto
    stored: StoredPhoto
    context: ContextPicture | None
    started: float
    storing: float


def account_of(optimizer: Optimizer, photo: Photo, optimized: Optimized, entry: Entry) -> Record:
    """A new record; its clock stops here."""
    done = perf_counter()
    model = optimizer.segmenter.description
    return Record(
        id=uuid7(),
        status=Status.CROPPED if optimized.crop else Status.KEPT_ORIGINAL,
        reason=optimized.reason,
        capture=_dated(entry.capture, photo),
        received_at=entry.received_at,
        source=entry.source,
        original=entry.original,
        stored=entry.stored,
        crop=optimized.crop,
        confidence=optimized.confidence,
        model=ModelUsed(model.name, model.sha256, model.provider),
        timings_ms=TimingsMs(
            optimized.decode_ms,
            optimized.segment_ms,
            optimized.crop_ms,
            (done - entry.storing) * 1000.0,
            (done - entry.started) * 1000.0,
        ),
        exif=photo.exif,
        fingerprint=optimizer.fingerprint(photo.sha256),
        context=entry.context,
    )


def stored_photo(photo: Photo, optimized: Optimized, *, key: str) -> StoredPhoto:
    """What lies under `key`: the crop, or the original unchanged."""
    kept = optimized.crop is None
    return StoredPhoto(
        sha256=photo.sha256 if kept else sha256_of(optimized.content),
        bytes=len(optimized.content),
        media_type=optimized.format,
        width=optimized.width,
        height=optimized.height,
        key=key,
        exact=optimized.exact,
    )


def original_photo(photo: Photo) -> OriginalPhoto:
    """The account of an original that is not retained."""
    width, height = photo.size
    return OriginalPhoto(
        sha256=photo.sha256,
        bytes=len(photo.content),
        media_type=photo.format,
        width=width,
        height=height,
        exif_orientation=photo.exif_orientation,
    )


def _dated(capture: Capture, photo: Photo) -> Capture:
    """What the sender says, and the camera's time where the sender says none."""
    if capture.captured_at is not None or photo.captured_at is None:
        return capture
    return replace(capture, captured_at=photo.captured_at)
