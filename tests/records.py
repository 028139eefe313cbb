"""Records as the pipeline makes them, for tests that need some and don't care for the pixels."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from service.core.crop import Reason
from service.core.geometry import Box
from service.core.record import (
    Capture,
    ContextPicture,
    CropRecord,
    ModelUsed,
    OriginalPhoto,
    Record,
    Retention,
    Source,
    Status,
    StoredPhoto,
    TimingsMs,
)

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def cropped_record(
    photo: str,
    *,
    received_at: datetime = NOON,
    capture: Capture | None = None,
    original_bytes: int = 1_633_413,
    stored_bytes: int = 96_120,
    retained_key: str | None = None,
    context_bytes: int | None = None,
) -> Record:
    """A new record, its id new too, of the original bytes that `photo` stands for."""
    sha256 = hashlib.sha256(photo.encode()).hexdigest()
    return Record(
        id=uuid4(),
        status=Status.CROPPED,
        reason=None,
        capture=capture or Capture(),
        received_at=received_at,
        source=Source.UPLOAD,
        original=OriginalPhoto(
            sha256,
            original_bytes,
            "image/jpeg",
            4000,
            2250,
            1,
            received_at + timedelta(days=30) if retained_key else None,
            retained_key,
            retention=Retention.GRACE if retained_key else None,
        ),
        stored=StoredPhoto(
            sha256[::-1], stored_bytes, "image/jpeg", 1056, 512, f"crops/{sha256}.jpg", exact=True
        ),
        crop=CropRecord(Box(1472, 800, 2528, 1312), Box(1701, 911, 2302, 1204)),
        confidence=0.982,
        model=ModelUsed("attention-unet", "ab" * 32, "CPUExecutionProvider"),
        timings_ms=TimingsMs(12.5, 30.25, 4.125, 8.0, 54.875),
        context=None if context_bytes is None else context_picture(sha256, context_bytes),
    )


def context_picture(name: str, size: int = 9_204) -> ContextPicture:
    """Of an object that is in no store."""
    key = f"context/{name}-320.webp"
    sha256 = hashlib.sha256(key.encode()).hexdigest()
    return ContextPicture(sha256, size, "image/webp", 320, 180, key)


def kept_record(
    photo: str,
    *,
    received_at: datetime = NOON,
    capture: Capture | None = None,
    reason: Reason = Reason.NO_REGION,
    original_bytes: int = 1_000_000,
) -> Record:
    """As `cropped_record`, of a photo whose original was kept."""
    sha256 = hashlib.sha256(photo.encode()).hexdigest()
    return Record(
        id=uuid4(),
        status=Status.KEPT_ORIGINAL,
        reason=reason,
        capture=capture or Capture(),
        received_at=received_at,
        source=Source.BATCH,
        original=OriginalPhoto(sha256, original_bytes, "image/png", 640, 480, 6),
        stored=StoredPhoto(
            sha256, original_bytes, "image/png", 640, 480, f"originals/{sha256}.png", exact=True
        ),
        crop=None,
        confidence=0.0,
        model=ModelUsed("attention-unet", "ab" * 32, "CPUExecutionProvider"),
        timings_ms=TimingsMs(1.0, 2.0, 0.0, 3.0, 6.0),
    )
