"""Records and keys as rows, and back, whole both ways."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from service.adapters.sql.tables import ApiKeyRow, PhotoRow
from service.core.access import ApiKey, Scope
from service.core.crop import Reason
from service.core.geometry import Box
from service.core.record import (
    AtRest,
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

PhotoColumns = PhotoRow | Row[*tuple[Any, ...]]
"""A row of `photos`, of a session or as the database gave it."""


def photo_columns(record: Record) -> dict[str, object]:
    """The values of a row of `photos`, by column."""
    return {
        "id": record.id,
        "status": record.status.value,
        "reason": None if record.reason is None else record.reason.value,
        "received_at": record.received_at,
        "source": record.source.value,
        "confidence": record.confidence,
        "exif": record.exif,
        "fingerprint": record.fingerprint,
        **_capture_columns(record.capture),
        **_original_columns(record.original),
        **_stored_columns(record.stored),
        **_context_columns(record.context),
        **_box_columns("crop", None if record.crop is None else record.crop.box),
        **_box_columns("region", None if record.crop is None else record.crop.region),
        "model_name": record.model.name,
        "model_sha256": record.model.sha256,
        "model_provider": record.model.provider,
        "decode_ms": record.timings_ms.decode,
        "segment_ms": record.timings_ms.segment,
        "crop_ms": record.timings_ms.crop,
        "store_ms": record.timings_ms.store,
        "total_ms": record.timings_ms.total,
    }


def record_of(row: PhotoColumns) -> Record:
    return Record(
        id=row.id,
        status=Status(row.status),
        reason=None if row.reason is None else Reason(row.reason),
        capture=_capture_of(row),
        received_at=row.received_at,
        source=Source(row.source),
        original=_original_of(row),
        stored=_stored_of(row),
        crop=_crop_of(row),
        confidence=row.confidence,
        model=ModelUsed(row.model_name, row.model_sha256, row.model_provider),
        timings_ms=TimingsMs(
            row.decode_ms, row.segment_ms, row.crop_ms, row.store_ms, row.total_ms
        ),
        exif=row.exif,
        fingerprint=row.fingerprint,
        context=_context_of(row),
    )


def key_columns(key: ApiKey) -> dict[str, object]:
    """The values of a row of `api_keys`, by column."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(scope.value for scope in key.scopes),
        "secret_sha256": key.secret_sha256,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def key_of(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        secret_sha256=row.secret_sha256,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def _capture_columns(capture: Capture) -> dict[str, object]:
    return {
        "meter_id": capture.meter_id,
        "site": capture.site,
        "meter_type": capture.meter_type,
        "reader_id": capture.reader_id,
        "captured_at": capture.captured_at,
        "tags": dict(capture.tags),
    }


def _capture_of(row: PhotoColumns) -> Capture:
    return Capture(
        meter_id=row.meter_id,
        site=row.site,
        meter_type=row.meter_type,
        reader_id=row.reader_id,
        captured_at=row.captured_at,
        tags=row.tags,
    )


def _original_columns(original: OriginalPhoto) -> dict[str, object]:
    return {
        "original_sha256": original.sha256,
        "original_bytes": original.bytes,
        "original_media_type": original.media_type,
        "original_width": original.width,
        "original_height": original.height,
        "exif_orientation": original.exif_orientation,
        "retained_until": original.retained_until,
        "retained_key": original.retained_key,
        "retained_version": original.retained_version,
        "retention": None if original.retention is None else original.retention.value,
    }


def _original_of(row: PhotoColumns) -> OriginalPhoto:
    return OriginalPhoto(
        sha256=row.original_sha256,
        bytes=row.original_bytes,
        media_type=row.original_media_type,
        width=row.original_width,
        height=row.original_height,
        exif_orientation=row.exif_orientation,
        retained_until=row.retained_until,
        retained_key=row.retained_key,
        retained_version=row.retained_version,
        retention=None if row.retention is None else Retention(row.retention),
    )


def _stored_columns(stored: StoredPhoto) -> dict[str, object]:
    return {
        "stored_sha256": stored.sha256,
        "stored_bytes": stored.bytes,
        "stored_media_type": stored.media_type,
        "stored_width": stored.width,
        "stored_height": stored.height,
        "stored_key": stored.key,
        "exact": stored.exact,
        "stored_at_rest": None if stored.at_rest is None else stored.at_rest.value,
        "stored_unpacked_bytes": stored.unpacked_bytes,
    }


def _stored_of(row: PhotoColumns) -> StoredPhoto:
    return StoredPhoto(
        sha256=row.stored_sha256,
        bytes=row.stored_bytes,
        media_type=row.stored_media_type,
        width=row.stored_width,
        height=row.stored_height,
        key=row.stored_key,
        exact=row.exact,
        at_rest=None if row.stored_at_rest is None else AtRest(row.stored_at_rest),
        unpacked_bytes=row.stored_unpacked_bytes,
    )


def _context_columns(context: ContextPicture | None) -> dict[str, object]:
    return {
        "context_sha256": None if context is None else context.sha256,
        "context_bytes": None if context is None else context.bytes,
        "context_media_type": None if context is None else context.media_type,
        "context_width": None if context is None else context.width,
        "context_height": None if context is None else context.height,
        "context_key": None if context is None else context.key,
    }


def _context_of(row: PhotoColumns) -> ContextPicture | None:
    if row.context_sha256 is None:
        return None
    return ContextPicture(
        sha256=row.context_sha256,
        bytes=row.context_bytes or 0,
        media_type=row.context_media_type or "",
        width=row.context_width or 0,
        height=row.context_height or 0,
        key=row.context_key or "",
    )


def _box_columns(name: str, box: Box | None) -> dict[str, object]:
    return {
        f"{name}_left": None if box is None else box.left,
        f"{name}_top": None if box is None else box.top,
        f"{name}_right": None if box is None else box.right,
        f"{name}_bottom": None if box is None else box.bottom,
    }


def _crop_of(row: PhotoColumns) -> CropRecord | None:
    box = _box_of(row.crop_left, row.crop_top, row.crop_right, row.crop_bottom)
    region = _box_of(row.region_left, row.region_top, row.region_right, row.region_bottom)
    return None if box is None or region is None else CropRecord(box, region)


def _box_of(*sides: int | None) -> Box | None:
    left, top, right, bottom = sides
    if left is None or top is None or right is None or bottom is None:
        return None
    return Box(left, top, right, bottom)
