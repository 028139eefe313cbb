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
    Uuid,
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
        Index(None, "status", "reason", "received_at", "id"),
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

    stored_sha256: Mapped[str] = mapped_column(SHA256)
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    stored_media_type: Mapped[str]
    stored_width: Mapped[int]
    stored_height: Mapped[int]
    stored_key: Mapped[str]
    exact: Mapped[bool]

    crop_left: Mapped[int | None]
    crop_top: Mapped[int | None]
    crop_right: Mapped[int | None]
    crop_bottom: Mapped[int | None]
    region_left: Mapped[int | None]
    region_top: Mapped[int | None]
    region_right: Mapped[int | None]
    region_bottom: Mapped[int | None]

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
