"""A photo comes in and is accounted for: put first, then record: no record lacks its object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import perf_counter

from uuid_utils.compat import uuid7

from service.core.errors import RequestRejected
from service.core.photo import Photo, sha256_of
from service.core.record import (
    Capture,
    ModelUsed,
    OriginalPhoto,
    Record,
    Recorded,
    Retention,
    Source,
    Status,
    StoredPhoto,
    TimingsMs,
)
from service.ports import Ledger, ObjectStore
from service.usecases.optimize import Optimized, Optimizer


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes photos in; `clock` tells the present moment in UTC."""

    optimizer: Optimizer
    store: ObjectStore
    ledger: Ledger
    keep_originals: timedelta
    clock: Callable[[], datetime]

    def take(
        self,
        photo: Photo,
        capture: Capture,
        *,
        source: Source,
        idempotency_key: str | None = None,
    ) -> Recorded:
        """The photo's record, new or from the first time that these bytes came in.

        Raises `PhotoRejected`, `RequestRejected` for an idempotency key used with other bytes, and
        `Unavailable`: then nothing is recorded, and trying again is safe.
        """
        started = perf_counter()
        earlier = self._earlier(photo, idempotency_key)
        if earlier is not None:
            return earlier
        optimized = self.optimizer.optimized(photo)
        storing = perf_counter()
        stored = self._put(photo, optimized)
        original = self._original(photo, retained=optimized.crop is not None)
        done = perf_counter()
        record = Record(
            id=uuid7(),
            status=Status.CROPPED if optimized.crop else Status.KEPT_ORIGINAL,
            reason=optimized.reason,
            capture=_dated(capture, photo),
            received_at=self.clock(),
            source=source,
            original=original,
            stored=stored,
            crop=optimized.crop,
            confidence=optimized.confidence,
            model=self._model(),
            timings_ms=TimingsMs(
                optimized.decode_ms,
                optimized.segment_ms,
                optimized.crop_ms,
                (done - storing) * 1000.0,
                (done - started) * 1000.0,
            ),
            exif=photo.exif,
            fingerprint=self.optimizer.fingerprint(photo.sha256),
        )
        return self.ledger.record(record, idempotency_key=idempotency_key)

    def _earlier(self, photo: Photo, idempotency_key: str | None) -> Recorded | None:
        if idempotency_key is not None:
            used_with = self.ledger.original_of_idempotency_key(idempotency_key)
            if used_with not in (None, photo.sha256):
                raise RequestRejected(
                    "idempotency.conflict",
                    f"the Idempotency-Key {idempotency_key!r} was used with another photo; "
                    "send a new key with each new photo",
                )
        record = self.ledger.by_original(photo.sha256)
        if record is None:
            return None
        if idempotency_key is None:
            return Recorded(record, created=False)
        return self.ledger.record(record, idempotency_key=idempotency_key)

    def _put(self, photo: Photo, optimized: Optimized) -> StoredPhoto:
        if optimized.crop is None:
            key, sha256 = original_key(photo), photo.sha256
        else:
            name = self.optimizer.fingerprint(photo.sha256)
            key = _key("crops", name, optimized.format.extension)
            sha256 = sha256_of(optimized.content)
        self.store.put(key, optimized.content, media_type=optimized.format)
        return StoredPhoto(
            sha256=sha256,
            bytes=len(optimized.content),
            media_type=optimized.format,
            width=optimized.width,
            height=optimized.height,
            key=key,
            exact=optimized.exact,
        )

    def _original(self, photo: Photo, *, retained: bool) -> OriginalPhoto:
        """Its account; where a grace is set, a cropped photo's original is put beside the crop."""
        width, height = photo.size
        key = until = None
        if retained and self.keep_originals:
            key, until = original_key(photo), self.clock() + self.keep_originals
            self.store.put(key, photo.content, media_type=photo.format)
        return OriginalPhoto(
            sha256=photo.sha256,
            bytes=len(photo.content),
            media_type=photo.format,
            width=width,
            height=height,
            exif_orientation=photo.exif_orientation,
            retained_until=until,
            retained_key=key,
            retention=None if key is None else Retention.GRACE,
        )

    def _model(self) -> ModelUsed:
        model = self.optimizer.segmenter.description
        return ModelUsed(model.name, model.sha256, model.provider)


def original_key(photo: Photo) -> str:
    """Where an original lies, be it kept for good or for its grace."""
    return _key("originals", photo.sha256, photo.format.extension)


def _key(kind: str, name: str, extension: str) -> str:
    """Two levels of 256 folders keep any one folder of a file system small."""
    return f"{kind}/{name[:2]}/{name[2:4]}/{name}.{extension}"


def _dated(capture: Capture, photo: Photo) -> Capture:
    """What the sender says, and the camera's time where the sender says none."""
    if capture.captured_at is not None or photo.captured_at is None:
        return capture
    return replace(capture, captured_at=photo.captured_at)
