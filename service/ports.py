"""The Protocols: what is slow or remote, as the use cases see it.

Adapters raise `Unavailable` where the other side does not answer, and nothing of their vendor's.
All are safe to use from many threads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from service.core.access import ApiKey, SignIn
from service.core.archive import ArchivedObject, Removal
from service.core.drift import ModelDay
from service.core.history import HistoryEntry, Told
from service.core.job import (
    Forecast,
    Item,
    ItemState,
    Job,
    JobState,
    Outcome,
    SamplePicture,
    Worker,
)
from service.core.record import Page, PhotoFilter, Record, Recorded
from service.core.savings import GroupBy, Period, Rebuilt, SavingsReport, SavingsTotals


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as the store lists it; `key` is relative to the store's own prefix."""

    key: str
    bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class OwnedObject:
    """An object of the service's own store as a record tells of it."""

    key: str
    bytes: int
    photo_id: UUID


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

    def of_bytes(self, sha256: str) -> Record | None:
        """The record whose original these bytes are, else one whose stored object they are."""

    def original_of_idempotency_key(self, idempotency_key: str) -> str | None:
        """The SHA-256 of the original that the key was used with."""

    def page(self, where: PhotoFilter, *, limit: int, cursor: str | None = None) -> Page:
        """Newest first by (received_at, id); an unreadable cursor raises `RequestRejected`."""

    def change(self, before: Record, after: Record, *, told: Told | None = None) -> bool:
        """Puts `after` in the place of `before`, and what is told of it into the history.

        False where the record is no longer `before`, or is gone: then nothing has changed. What
        is told to be purged also counts as freed, less the crop, by the job that made the record.
        """

    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:
        """From the first entry on; it outlives the record."""

    def due(self, now: datetime, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        """Records in grace whose `retained_until` has come, longest ago first.

        Before them come those without one: `purge` was about to delete their originals.
        """

    def locked(self, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        """Records whose original is kept by a lock, in the order of their ids."""

    def never_packed(
        self, received_before: datetime, *, limit: int, after: Record | None = None
    ) -> tuple[Record, ...]:
        """Records of JPEG crops in the service's own store that nobody has looked at to pack them.

        In the order of their ids.
        """

    def packed(self, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        """Records whose crop lies in the store packed, in the order of their ids."""

    def delete(self, photo_id: UUID, *, at: datetime) -> Record | None:
        """Forgets the record and its idempotency keys; as it was last, None where there is none."""

    def owned_objects(self) -> Iterator[OwnedObject]:
        """All that records own in the service's store, in key order by code point, streamed."""

    def owned_of(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys that a record owns."""

    def totals(self, where: PhotoFilter, *, min_billable_bytes: int) -> SavingsTotals:
        """Sums over the very records that are selected; the cost is theirs."""

    def savings(
        self, period: Period, *, group_by: GroupBy | None = None, min_billable_bytes: int
    ) -> SavingsReport:
        """As `totals`, in groups, and at the cost of what is shown, however many records.

        With another `min_billable_bytes` than the sums were made with it is right as well, but
        sums up the records, until `rebuild_savings` is called with that minimum.
        """

    def model_days(self, since: date, before: date) -> tuple[ModelDay, ...]:
        """Each model's days of UTC, of which there are photos, by day and model."""

    def rebuild_savings(self, *, min_billable_bytes: int) -> Rebuilt:
        """Makes the sums behind `savings` anew from the records, while photos may come in."""

    def add_key(self, key: ApiKey) -> None: ...

    def key_by_secret(self, secret_sha256: str) -> ApiKey | None:
        """The key with this hash, revoked or not."""

    def keys(self) -> tuple[ApiKey, ...]:
        """All keys, oldest first, revoked ones too."""

    def revoke_key(self, key_id: UUID, *, at: datetime) -> ApiKey | None:
        """The key as it is now, None where there is none; revoking twice keeps the first time."""

    def add_session(self, sign_in: SignIn, *, at: datetime) -> None:
        """Those that have expired by then are deleted in passing."""

    def session_key(self, id_sha256: str, *, at: datetime) -> ApiKey | None:
        """The key, revoked or not, of a session that has neither expired nor been ended."""

    def end_session(self, id_sha256: str) -> None:
        """That there is none is fine."""

    def check(self) -> None:
        """One round trip; raises `Unavailable`."""


class Archive(Protocol):
    """The objects below one `root`, as jobs read, write and delete them.

    What is wrong with one object is `ObjectRejected`; `Unavailable` is the whole archive's.
    """

    def objects(self, prefix: str = "", *, after: str = "") -> Iterator[ArchivedObject]:
        """The newest versions of all keys that begin with `prefix` and come after `after`.

        In key order (by code point), streamed; delete markers and folder markers left out.
        """

    def find(self, key: str, *, version_id: str = "") -> ArchivedObject | None:
        """The newest version, or the one named; None where there is none."""

    def read(self, found: ArchivedObject) -> bytes:
        """Its bytes, of that very version.

        Raises `ObjectRejected` `object.gone`, `object.changed` where size or ETag are other than
        `found` says, `object.access_denied`.
        """

    def create(self, key: str, content: bytes, *, media_type: str, read_back: bool = True) -> None:
        """Writes all or nothing, reads it back and compares.

        Without `read_back` it takes the server's word for what arrived, where that gives it.
        The same bytes already being there is fine; other bytes are `ObjectRejected`
        `object.exists` and stay.
        """

    def delete(self, found: ArchivedObject) -> Removal:
        """Deletes what `read` would read; that there is none is `GONE`.

        In a versioned bucket it puts a delete marker and says `MARKED`. Object Lock and legal hold
        are respected: `LOCKED`. Raises `ObjectRejected` `object.changed`, `object.access_denied`.
        """


class Archives(Protocol):
    """Opens archives with the account of the settings."""

    def opened(self, root: str) -> Archive:
        """The archive of `s3://bucket` or `file:///folder`; raises `RequestRejected`."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """Newest first; `next_cursor` is opaque and None on the last page."""

    jobs: tuple[Job, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """In the items' order; `next_cursor` is opaque and None on the last page."""

    items: tuple[Item, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of an outcome: `item` as it is in the ledger now.

    `needless` where its record was not kept, as the same bytes were recorded or the item settled
    in the meantime: nothing refers to the object that was written for it.
    """

    item: Item
    needless: bool


class JobLedger(Protocol):
    """Jobs, their items, and the workers on them; each method is one transaction."""

    def create(self, job: Job) -> None: ...

    def job(self, job_id: UUID) -> Job | None:
        """With its counts and bytes as they are now, at a cost that does not grow with items."""

    def jobs(self, *, limit: int, cursor: str | None = None) -> JobPage: ...

    def jobs_in(self, states: Collection[JobState]) -> tuple[Job, ...]:
        """Of highest priority first, then oldest first."""

    def move(
        self,
        job_id: UUID,
        *,
        to: JobState,
        only_from: Collection[JobState],
        at: datetime,
        error: str | None = None,
    ) -> bool:
        """Changes the state, False where the job is in none of `only_from` (nothing changed).

        To `READY` it counts a new attempt and forgets error and end; the first time to `RUNNING`
        it sets `started_at`; to an end `finished_at`.
        """

    def add_items(
        self, job_id: UUID, found: Sequence[ArchivedObject], *, listed_after: str
    ) -> None:
        """Appends items and remembers how far the list is; an object twice in a job is once.

        One without ETag is added as failed with `object.gone`.
        """

    def set_found(self, job_id: UUID, *, objects: int, original_bytes: int) -> None:
        """Tells what the whole source holds, where only a sample of it became items."""

    def open_chunks(self, job_id: UUID, *, limit: int) -> tuple[int, ...]:
        """Numbers of the first chunks with pending items, in order."""

    def pending_items(self, job_id: UUID, *, chunk: int) -> tuple[Item, ...]: ...

    def earlier(self, items: Sequence[Item], *, not_of: UUID) -> dict[int, Item]:
        """By number: the last outcome in another job of the same object, unchanged since.

        That is root, key, version, ETag and size; only `cropped`, `kept_original`, `skipped` and
        `failed` with a code `photo.*` that no other version or setting takes back; no dry runs.
        """

    def settle(self, job_id: UUID, outcomes: Sequence[Outcome]) -> tuple[Settled, ...]:
        """Ends items and keeps their records, all in one transaction; in the outcomes' order.

        An item that has ended before stays as it is. One whose new record meets another of the
        same bytes becomes `skipped` with `already_stored` and that photo's id.
        """

    def retry_failed(self, job_id: UUID) -> int:
        """Makes failed items pending again; how many."""

    def items(
        self, job_id: UUID, *, state: ItemState | None, limit: int, cursor: str | None = None
    ) -> ItemPage: ...

    def every_item(self, job_id: UUID) -> Iterator[Item]:
        """All items in order, streamed in constant memory, a transaction a page."""

    def keep_forecast(self, job_id: UUID, forecast: Forecast) -> None: ...

    def keep_pictures(self, job_id: UUID, pictures: Sequence[SamplePicture]) -> None:
        """Adds to a job's pictures; one that is there under its number stays."""

    def sample_pictures(self, job_id: UUID) -> tuple[SamplePicture, ...]: ...

    def beat(self, worker: Worker) -> None:
        """A worker tells that it lives; the first time it is added."""

    def workers(self) -> tuple[Worker, ...]: ...

    def forget_worker(self, worker_id: str) -> bool:
        """False where another has forgotten it before."""


class WorkflowEngine(Protocol):
    """Hands out a job's work to all workers, durably; to begin the same twice begins it once."""

    def begin_preparing(self, job: Job) -> None: ...

    def begin_chunk(self, job: Job, chunk: int) -> None: ...

    def is_working_on(self, job: Job) -> bool:
        """Whether any worker has a part of the job in hand."""

    def failure(self, job: Job) -> str | None:
        """Why a part of this attempt ended as it never should."""

    def adopt(self, worker_id: str) -> int:
        """Hands out again what a dead worker had in hand; how many parts."""
