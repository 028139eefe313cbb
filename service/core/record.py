"""What the ledger keeps of each photo: the proof of what was stored and what it saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service.core.crop import Reason
from service.core.encoding import ArchiveEncoding
from service.core.fields import check_moment, check_name, check_text
from service.core.geometry import Box


class Status(StrEnum):
    CROPPED = "cropped"
    KEPT_ORIGINAL = "kept_original"


class Source(StrEnum):
    """Which way the photo came in."""

    UPLOAD = "upload"
    INGEST = "ingest"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Capture:
    """What the sender says about the photo; what can't be kept is `RequestRejected`."""

    meter_id: str | None = None
    site: str | None = None
    meter_type: str | None = None
    reader_id: str | None = None
    captured_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("meter_id", self.meter_id)
        check_name("site", self.site)
        check_name("meter_type", self.meter_type)
        check_name("reader_id", self.reader_id)
        check_moment("captured_at", self.captured_at)
        check_text("tags", *self.tags, *self.tags.values())


class Retention(StrEnum):
    """Why an original is still stored beside its crop, and paid for."""

    GRACE = "grace"
    """Until `retained_until`; then `purge` deletes it."""
    SOURCE = "source"
    """It is an archive's own object, which nobody asked to delete."""
    LOCKED = "locked"
    """Its grace is over, but Object Lock or a legal hold keeps it."""
    MARKED = "marked"
    """It was deleted in a versioned bucket, which still stores that version."""


@dataclass(frozen=True, slots=True)
class OriginalPhoto:
    """Width and height are those of the upright photo, the frame in which boxes are given."""

    sha256: str
    bytes: int
    media_type: str
    width: int
    height: int
    exif_orientation: int
    retained_until: datetime | None = None
    """Until then the original is kept beside its crop under `retained_key`.

    In grace without an end `purge` has begun to delete it.
    """
    retained_key: str | None = None
    """In the service's own store, or with `://` in it the whole address of an archive's object."""
    retained_version: str = ""
    """Of an archive with versions, the one that the record is about."""
    retention: Retention | None = None
    """Set where `retained_key` is."""

    @property
    def is_being_purged(self) -> bool:
        return self.retention is Retention.GRACE and self.retained_until is None

    @property
    def may_be_deleted(self) -> bool:
        """A purge has set about deleting it once, and may, however late, still be at it."""
        tried = self.retention in (Retention.LOCKED, Retention.MARKED)
        return tried or self.is_being_purged


class AtRest(StrEnum):
    """How a crop lies in the store, once `recompress` has looked at it."""

    AS_SERVED = "as_served"
    """It would not get smaller, or would not come back as the very same bytes."""
    JXL = "jxl"
    """Packed as JPEG XL, which holds the JPEG's bytes whole."""


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """The object in the store; `exact` is true where the region's pixels decode unchanged.

    Hash, media type, width and height are those of what is served.
    """

    sha256: str
    bytes: int
    """In the store, where they are paid for."""
    media_type: str
    width: int
    height: int
    key: str
    exact: bool
    at_rest: AtRest | None = None
    """None where nobody has looked at it yet: then it lies there as it is served."""
    unpacked_bytes: int | None = None
    """Of what is served, where the store holds it packed."""

    @property
    def is_packed(self) -> bool:
        return self.unpacked_bytes is not None

    @property
    def encoding(self) -> ArchiveEncoding | None:
        """What it is packed into."""
        return ArchiveEncoding(self.at_rest or "") if self.is_packed else None

    @property
    def content_bytes(self) -> int:
        """Of what is served."""
        return self.bytes if self.unpacked_bytes is None else self.unpacked_bytes


@dataclass(frozen=True, slots=True)
class ContextPicture:
    """The whole photo in small beside its crop, upright; `key` is in the service's own store."""

    sha256: str
    bytes: int
    media_type: str
    width: int
    height: int
    key: str


@dataclass(frozen=True, slots=True)
class CropRecord:
    box: Box
    region: Box


@dataclass(frozen=True, slots=True)
class ModelUsed:
    name: str
    sha256: str
    provider: str


@dataclass(frozen=True, slots=True)
class TimingsMs:
    decode: float
    segment: float
    crop: float
    store: float
    total: float


@dataclass(frozen=True, slots=True)
class Record:
    """One photo's whole account."""

    id: UUID
    status: Status
    reason: Reason | None
    capture: Capture
    received_at: datetime
    source: Source
    original: OriginalPhoto
    stored: StoredPhoto
    crop: CropRecord | None
    confidence: float
    model: ModelUsed
    timings_ms: TimingsMs
    exif: bytes | None = None
    fingerprint: str | None = None
    """Of photo, model and rules; None in records from before it was kept."""
    context: ContextPicture | None = None
    """Only beside a crop; a kept original shows the whole itself."""

    @property
    def kept_bytes(self) -> int:
        """Of the stored object and the context picture beside it."""
        return self.stored.bytes + (0 if self.context is None else self.context.bytes)

    @property
    def saved_bytes(self) -> int:
        """What is kept of the photo is smaller by this than the original."""
        return self.original.bytes - self.kept_bytes

    @property
    def saved_fraction(self) -> float:
        return self.saved_bytes / self.original.bytes

    @property
    def keys(self) -> tuple[str, ...]:
        """Every object that this record owns; what lay in an archive before is the archive's."""
        retained = self.original.retained_key
        own = () if self._stored_where_it_was else (self.stored.key,)
        own = own if self.context is None else (*own, self.context.key)
        return own if retained is None or is_address(retained) else (*own, retained)

    @property
    def _stored_where_it_was(self) -> bool:
        """An archive's object that no job copied: kept, or restored."""
        kept = self.crop is None and self.original.retention is None
        return kept and is_address(self.stored.key)


def is_address(key: str) -> bool:
    """Whether it is a whole address such as `s3://bucket/key`, no key of the service's store."""
    return key.startswith(("s3://", "file:///"))


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """What `GET /v1/photos` and the savings query select by; None selects all."""

    meter_id: str | None = None
    site: str | None = None
    status: Status | None = None
    reason: Reason | None = None
    from_: datetime | None = None
    """First moment of `received_at` that counts."""
    to: datetime | None = None
    """First moment that no longer counts."""

    def __post_init__(self) -> None:
        check_name("meter_id", self.meter_id)
        check_name("site", self.site)
        check_moment("from", self.from_)
        check_moment("to", self.to)


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `next_cursor` is opaque and None on the last page."""

    items: tuple[Record, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """`created` is false where the same bytes were recorded before: then `record` is that one."""

    record: Record
    created: bool
