"""A photo comes in and is accounted for: put first, then record: no record lacks its object."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import perf_counter

from service.core.errors import RequestRejected
from service.core.photo import Photo
from service.core.record import (
    Capture,
    OriginalPhoto,
    Recorded,
    Retention,
    Source,
    StoredPhoto,
)
from service.ports import Ledger, ObjectStore
from service.usecases.account import Entry, account_of, original_photo, stored_photo
from service.usecases.context import put_context
from service.usecases.object_keys import object_key, original_key
from service.usecases.optimize import Optimized, Optimizer


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes photos in; `clock` tells the present moment in UTC."""

    optimizer: Optimizer
    store: ObjectStore
    ledger: Ledger
    keep_originals: timedelta
    clock: Callable[[], datetime]
    cores: AbstractContextManager[object] = field(default_factory=nullcontext)
    """Held while a photo is computed; a semaphore keeps more of them than there are cores apart:
    they would only be in each other's way, each with its memory."""

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
        with self.cores:
            optimized = self.optimizer.optimized(photo)
        storing = perf_counter()
        stored = self._put(photo, optimized)
        context = put_context(self.store, self.optimizer, photo, optimized)
        original = self._original(photo, retained=optimized.crop is not None)
        entry = Entry(capture, source, self.clock(), original, stored, context, started, storing)
        record = account_of(self.optimizer, photo, optimized, entry)
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
            key = original_key(photo)
        else:
            name = self.optimizer.fingerprint(photo.sha256)
            key = object_key("crops", name, optimized.format.extension)
        self.store.put(key, optimized.content, media_type=optimized.format)
        return stored_photo(photo, optimized, key=key)

    def _original(self, photo: Photo, *, retained: bool) -> OriginalPhoto:
        """Its account; where a grace is set, a cropped photo's original is put beside the crop."""
        original = original_photo(photo)
        if not (retained and self.keep_originals):
            return original
        key, until = original_key(photo), self.clock() + self.keep_originals
        self.store.put(key, photo.content, media_type=photo.format)
        return replace(original, retained_key=key, retained_until=until, retention=Retention.GRACE)
