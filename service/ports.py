"""The three Protocols: what is slow or remote, as the use cases see it.

Adapters raise `Unavailable` where the other side does not answer, and nothing of their vendor's.
All are safe to use from many threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.core.access import ApiKey
from service.core.record import Page, PhotoFilter, Record, Recorded
from service.core.savings import SavingsTotals


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store lists it; `key` is relative to the store's own prefix."""

    key: str
    bytes: int
    modified_at: datetime


class ObjectStore(Protocol):
    """Objects under content-addressed keys such as `crops/ab/cd/abcd...jpg`."""

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        """Stores all of `content` or nothing; a put of the same key replaces it."""

    def get(self, key: str) -> bytes | None:
        """The whole object, None where there is none."""

    def get_range(self, key: str, *, start: int, length: int) -> bytes | None:
        """`length` bytes from `start`, fewer at the object's end; None where there is none."""

    def head(self, key: str) -> StoredObject | None:
        """What a listing says of it, None where there is none."""

    def delete(self, key: str) -> None:
        """Deletes it; that there is none is fine."""

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose key begins with `prefix`, in key order, streamed."""

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:
        """An address that serves the object for a while; None where the store has no such thing."""

    def check(self) -> None:
        """One round trip that writes, reads back and deletes; raises `Unavailable`."""


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What an ONNX file says of itself, and where it really runs."""

    name: str
    version: str
    licence: str
    sha256: str
    provider: str
    side: int
    threshold: float
    min_confidence: float


class Segmenter(Protocol):
    """The model, loaded and warm."""

    @property
    def description(self) -> ModelDescription: ...

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(side, side) in 0..1 of RGB (side, side, 3) in 0..255."""


class Ledger(Protocol):
    """Records and keys; each method is one transaction."""

    def record(self, record: Record, *, idempotency_key: str | None = None) -> Recorded:
        """Keeps the record, unless the same original bytes were recorded before: then that one.

        Of concurrent calls for the same bytes exactly one creates. An idempotency key that was
        used with other bytes raises `RequestRejected` `idempotency.conflict`, and nothing is kept.
        """

    def by_id(self, photo_id: UUID) -> Record | None: ...

    def by_original(self, sha256: str) -> Record | None: ...

    def original_of_idempotency_key(self, idempotency_key: str) -> str | None:
        """The SHA-256 of the original that the key was used with."""

    def page(self, where: PhotoFilter, *, limit: int, cursor: str | None = None) -> Page:
        """Newest first by (received_at, id); an unreadable cursor raises `RequestRejected`."""

    def delete(self, photo_id: UUID) -> None:
        """Forgets the record and its idempotency keys; that there is none is fine."""

    def totals(self, where: PhotoFilter, *, min_billable_bytes: int) -> SavingsTotals: ...

    def add_key(self, key: ApiKey) -> None: ...

    def key_by_secret(self, secret_sha256: str) -> ApiKey | None:
        """The key with this hash, revoked or not."""

    def keys(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first, revoked ones too."""

    def revoke_key(self, key_id: UUID, *, at: datetime) -> ApiKey | None:
        """The key as it is now, None where there is none; revoking twice keeps the first time."""

    def check(self) -> None:
        """One round trip; raises `Unavailable`."""
