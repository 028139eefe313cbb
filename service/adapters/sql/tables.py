"""The tables as they are now; how they came to be so is told in `migrations`."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from service.core.fields import MAX_NAME_CHARS

SHA256_CHARS = 64


class UtcTime(TypeDecorator[datetime]):
    """A moment, in UTC on its way in and out; SQLite itself knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"a moment without a time zone can't be kept: {value.isoformat()}")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can name it too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        str: Text(),
        UUID: Uuid(),
        datetime: UtcTime(),
        bytes: LargeBinary(),
        dict[str, str]: JSON().with_variant(JSONB(), "postgresql"),
        list[str]: JSON().with_variant(JSONB(), "postgresql"),
    }


UNPACKED = (
    "stored_at_rest is null and crop_left is not null and stored_media_type = 'image/jpeg'"
    " and stored_key not like '%://%'"
)
"""A JPEG crop in the service's own store that nobody has looked at to pack it."""
NAME = String(MAX_NAME_CHARS)
SHA256 = String(SHA256_CHARS)


class PhotoRow(Base):
    """A `Record`, flat. Boxes are in upright photo pixels, all eight sides or none."""

    __tablename__ = "photos"
    __table_args__ = (
        # Each lists newest first within what it selects, so a page reads only its own rows.
        Index(None, "received_at", "id"),
        Index(None, "meter_id", "received_at", "id"),
        Index(None, "site", "received_at", "id"),
        Index(None, "status", "received_at", "id"),
        Index(
            "ix_photos_reason_received_at_id",
            "reason",
            "received_at",
            "id",
            sqlite_where=text("reason is not null"),
            postgresql_where=text("reason is not null"),
        ),
        Index(None, "stored_sha256"),  # a crop that comes back is known as such
        # What `recompress` looks for: it empties as crops are looked at.
        Index(
            "ix_photos_unpacked_id",
            "id",
            sqlite_where=text(UNPACKED),
            postgresql_where=text(UNPACKED),
        ),
        # What `purge` looks for, and nothing else.
        Index(
            "ix_photos_retained_until",
            "retained_until",
            sqlite_where=text("retention = 'grace'"),
            postgresql_where=text("retention = 'grace'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    reason: Mapped[str | None]
    received_at: Mapped[datetime]
    source: Mapped[str]
    confidence: Mapped[float]
    exif: Mapped[bytes | None]

    meter_id: Mapped[str | None] = mapped_column(NAME)
    site: Mapped[str | None] = mapped_column(NAME)
    meter_type: Mapped[str | None] = mapped_column(NAME)
    reader_id: Mapped[str | None] = mapped_column(NAME)
    captured_at: Mapped[datetime | None]
    tags: Mapped[dict[str, str]]

    original_sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    original_bytes: Mapped[int] = mapped_column(BigInteger)
    original_media_type: Mapped[str]
    original_width: Mapped[int]
    original_height: Mapped[int]
    exif_orientation: Mapped[int] = mapped_column(BigInteger)  # as written, even if nonsense
    retained_until: Mapped[datetime | None]
    retained_key: Mapped[str | None]
    retained_version: Mapped[str] = mapped_column(server_default="")
    retention: Mapped[str | None]

    stored_sha256: Mapped[str] = mapped_column(SHA256)
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    stored_media_type: Mapped[str]
    stored_width: Mapped[int]
    stored_height: Mapped[int]
    stored_key: Mapped[str]
    exact: Mapped[bool]
    stored_at_rest: Mapped[str | None]
    stored_unpacked_bytes: Mapped[int | None] = mapped_column(BigInteger)

    # All six or none.
    context_sha256: Mapped[str | None] = mapped_column(SHA256)
    context_bytes: Mapped[int | None] = mapped_column(BigInteger)
    context_media_type: Mapped[str | None]
    context_width: Mapped[int | None]
    context_height: Mapped[int | None]
    context_key: Mapped[str | None]

    crop_left: Mapped[int | None]
    crop_top: Mapped[int | None]
    crop_right: Mapped[int | None]
    crop_bottom: Mapped[int | None]
    region_left: Mapped[int | None]
    region_top: Mapped[int | None]
    region_right: Mapped[int | None]
    region_bottom: Mapped[int | None]

    fingerprint: Mapped[str | None] = mapped_column(SHA256)
    model_name: Mapped[str]
    model_sha256: Mapped[str] = mapped_column(SHA256)
    model_provider: Mapped[str]

    decode_ms: Mapped[float]
    segment_ms: Mapped[float]
    crop_ms: Mapped[float]
    store_ms: Mapped[float]
    total_ms: Mapped[float]


class IdempotencyKeyRow(Base):
    """Which bytes a sender's key was used with; forgotten with their record."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(NAME, primary_key=True)
    original_sha256: Mapped[str] = mapped_column(
        SHA256, ForeignKey("photos.original_sha256", ondelete="CASCADE"), index=True
    )


class ApiKeyRow(Base):
    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(NAME)
    scopes: Mapped[list[str]]
    secret_sha256: Mapped[str] = mapped_column(SHA256, unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SessionRow(Base):
    """Somebody who signed in to the pages, by the hash of what their cookie holds."""

    __tablename__ = "sessions"

    id_sha256: Mapped[str] = mapped_column(SHA256, primary_key=True)
    key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class PhotoEventRow(Base):
    """The history of a photo; without a foreign key, as it outlives its record."""

    __tablename__ = "photo_events"

    photo_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    event: Mapped[str]
    details: Mapped[str]  # the JSON text that was hashed, byte for byte
    previous_sha256: Mapped[str] = mapped_column(SHA256)
    sha256: Mapped[str] = mapped_column(SHA256)


class JobRow(Base):
    __tablename__ = "jobs"
    __table_args__ = (Index(None, "created_at", "id"), Index(None, "state"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    attempt: Mapped[int]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]

    source: Mapped[str | None]
    manifest: Mapped[str | None]
    mode: Mapped[str]
    destination: Mapped[str]
    dry_run: Mapped[bool]
    sample: Mapped[int | None]
    confirm: Mapped[bool]
    max_failed_fraction: Mapped[float]
    priority: Mapped[int]
    max_per_second: Mapped[float | None]
    keep_originals_days: Mapped[int]
    folders: Mapped[list[str] | None] = mapped_column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    )

    listed_after: Mapped[str]
    found_objects: Mapped[int] = mapped_column(BigInteger)
    found_bytes: Mapped[int] = mapped_column(BigInteger)
    next_number: Mapped[int] = mapped_column(BigInteger)
    forecast: Mapped[dict[str, float] | None] = mapped_column(
        JSON().with_variant(JSONB(), "postgresql")
    )


class JobChunkRow(Base):
    """Sums over the items of a chunk, kept in the transactions that end them."""

    __tablename__ = "job_chunks"

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    cropped: Mapped[int]
    kept_original: Mapped[int]
    failed: Mapped[int]
    skipped: Mapped[int]
    original_bytes: Mapped[int] = mapped_column(BigInteger)
    stored_bytes: Mapped[int] = mapped_column(BigInteger)


class JobFreedRow(Base):
    """What `purge` has freed of a chunk's items.

    A row of its own: who settles holds the chunk and waits for photos, who purges the other way
    round.
    """

    __tablename__ = "job_freed"

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    chunk: Mapped[int] = mapped_column(primary_key=True)
    freed_bytes: Mapped[int] = mapped_column(BigInteger)


class JobItemRow(Base):
    __tablename__ = "job_items"
    __table_args__ = (
        # An object is in a job once; and what other jobs made of it is found here too.
        UniqueConstraint("key", "root", "version_id", "job_id"),
        Index(None, "job_id", "state", "number"),
        # Where `purge` tells what it freed.
        Index(
            "ix_job_items_photo_id",
            "photo_id",
            sqlite_where=text("photo_id is not null"),
            postgresql_where=text("photo_id is not null"),
        ),
    )

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    root: Mapped[str]
    key: Mapped[str]
    version_id: Mapped[str]
    etag: Mapped[str]
    listed_bytes: Mapped[int] = mapped_column(BigInteger)
    modified_at: Mapped[datetime | None]

    state: Mapped[str]
    code: Mapped[str | None]
    message: Mapped[str | None]
    original_bytes: Mapped[int] = mapped_column(BigInteger)
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    context_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    freed_bytes: Mapped[int] = mapped_column(BigInteger)
    stored_key: Mapped[str | None]
    photo_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class JobPictureRow(Base):
    """A dry run's contact sheet, picture by picture."""

    __tablename__ = "job_pictures"

    job_id: Mapped[UUID] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    jpeg: Mapped[bytes]


class WorkerRow(Base):
    """A heartbeat; one that has been silent too long has its work taken over."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
