"""What the API answers in JSON, field by field in the interface's order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api.examples import PHOTO
from service.api.exif import raw_base64, readable_tags
from service.core.crop import Reason
from service.core.encoding import ArchiveEncoding
from service.core.geometry import Box
from service.core.record import (
    ContextPicture,
    CropRecord,
    ModelUsed,
    OriginalPhoto,
    Page,
    Record,
    Source,
    Status,
    StoredPhoto,
    TimingsMs,
)
from service.ports import ModelDescription
from service.usecases.optimize import Optimized

MONEY_DIGITS = 12
"""Fine enough for one photo's share, coarse enough to leave the noise of floating point out."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, use_attribute_docstrings=True)


class BoxAnswer(Answer):
    """Half-open pixels of the upright photo: right and bottom are the first outside."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, box: Box) -> Self:
        return cls(left=box.left, top=box.top, right=box.right, bottom=box.bottom)


class CropAnswer(BoxAnswer):
    region: BoxAnswer
    """What the model found; around it lies the margin."""

    @classmethod
    def around(cls, crop: CropRecord) -> Self:
        box = crop.box
        return cls(
            left=box.left,
            top=box.top,
            right=box.right,
            bottom=box.bottom,
            region=BoxAnswer.of(crop.region),
        )


class OriginalAnswer(Answer):
    sha256: Sha256
    bytes: int
    media_type: str
    width: int
    height: int
    exif_orientation: int
    retained_until: datetime | None
    """Until then the original can be had beside its crop."""

    @classmethod
    def of(cls, original: OriginalPhoto) -> Self:
        return cls(
            sha256=original.sha256,
            bytes=original.bytes,
            media_type=original.media_type,
            width=original.width,
            height=original.height,
            exif_orientation=original.exif_orientation,
            retained_until=original.retained_until,
        )


class StoredAnswer(Answer):
    sha256: Sha256
    """Of what is served at /content, as are media type, width and height."""
    bytes: int
    """In the object store, where they are paid for."""
    media_type: str
    width: int
    height: int
    key: str
    exact: bool
    """Whether every pixel of the region decodes to the very value that the original's does."""
    encoding: ArchiveEncoding | None
    """How the crop is packed in the object store; null where it lies there as it is served."""
    content_bytes: int
    """Of what is served: more than `bytes` where the crop is packed."""

    @classmethod
    def of(cls, stored: StoredPhoto) -> Self:
        return cls(
            sha256=stored.sha256,
            bytes=stored.bytes,
            media_type=stored.media_type,
            width=stored.width,
            height=stored.height,
            key=stored.key,
            exact=stored.exact,
            encoding=stored.encoding,
            content_bytes=stored.content_bytes,
        )


class ContextAnswer(Answer):
    """A small picture of the whole photo beside its crop, upright; at /context."""

    sha256: Sha256
    bytes: int
    media_type: str
    width: int
    height: int
    key: str

    @classmethod
    def of(cls, context: ContextPicture) -> Self:
        return cls(
            sha256=context.sha256,
            bytes=context.bytes,
            media_type=context.media_type,
            width=context.width,
            height=context.height,
            key=context.key,
        )


class ModelAnswer(Answer):
    name: str
    sha256: Sha256
    provider: str
    """The ONNX Runtime execution provider that the inference ran on."""

    @classmethod
    def of(cls, model: ModelUsed | ModelDescription) -> Self:
        return cls(name=model.name, sha256=model.sha256, provider=model.provider)


class TimingsAnswer(Answer):
    decode: float
    segment: float
    crop: float
    store: float
    total: float

    @classmethod
    def of(cls, timings: TimingsMs) -> Self:
        return cls(
            decode=round(timings.decode, 1),
            segment=round(timings.segment, 1),
            crop=round(timings.crop, 1),
            store=round(timings.store, 1),
            total=round(timings.total, 1),
        )


class PhotoAnswer(Answer):
    """A photo's record."""

    model_config = ConfigDict(json_schema_extra={"examples": [PHOTO]})

    id: UUID
    status: Status
    reason: Reason | None
    """Why the original was kept; null where the photo was cropped."""
    meter_id: str | None
    site: str | None
    meter_type: str | None
    reader_id: str | None
    tags: dict[str, str]
    captured_at: datetime | None
    received_at: datetime
    source: Source
    original: OriginalAnswer
    stored: StoredAnswer
    context: ContextAnswer | None
    """Null for a kept original, which shows the whole itself, and where none was made."""
    crop: CropAnswer | None
    confidence: float
    model: ModelAnswer
    saved_bytes: int
    """What crop and context picture together are smaller by than the original."""
    saved_fraction: float
    timings_ms: TimingsAnswer

    @classmethod
    def of(cls, record: Record) -> PhotoAnswer:
        capture = record.capture
        return PhotoAnswer(
            id=record.id,
            status=record.status,
            reason=record.reason,
            meter_id=capture.meter_id,
            site=capture.site,
            meter_type=capture.meter_type,
            reader_id=capture.reader_id,
            tags=dict(capture.tags),
            captured_at=capture.captured_at,
            received_at=record.received_at,
            source=record.source,
            original=OriginalAnswer.of(record.original),
            stored=StoredAnswer.of(record.stored),
            context=None if record.context is None else ContextAnswer.of(record.context),
            crop=None if record.crop is None else CropAnswer.around(record.crop),
            confidence=round(record.confidence, 4),
            model=ModelAnswer.of(record.model),
            saved_bytes=record.saved_bytes,
            saved_fraction=round(record.saved_fraction, 4),
            timings_ms=TimingsAnswer.of(record.timings_ms),
        )


class ExifAnswer(Answer):
    tags: dict[str, object]
    """The tags by name, as far as they can be read."""
    raw_base64: str
    """The whole EXIF block of the original, from its TIFF header on."""


class PhotoWithExifAnswer(PhotoAnswer):
    exif: ExifAnswer | None
    """Null where the original carried none."""

    @classmethod
    def of(cls, record: Record) -> PhotoWithExifAnswer:
        answer = PhotoAnswer.of(record)
        return cls(**dict(answer), exif=_exif(record.exif))


class PageAnswer(Answer):
    items: list[PhotoAnswer]
    next_cursor: str | None
    """Send it as `cursor` for the next page; null on the last."""

    @classmethod
    def of(cls, page: Page) -> Self:
        return cls(
            items=[PhotoAnswer.of(record) for record in page.items], next_cursor=page.next_cursor
        )


class DecisionAnswer(Answer):
    """What an upload of the same photo would do."""

    status: Status
    reason: Reason | None
    crop: CropAnswer | None
    confidence: float
    model: ModelAnswer
    original_bytes: int
    stored_bytes: int
    """With the context picture's."""
    saved_bytes: int
    saved_fraction: float
    exact: bool

    @classmethod
    def of(cls, optimized: Optimized, model: ModelDescription, *, original_bytes: int) -> Self:
        saved_bytes = original_bytes - optimized.kept_bytes
        return cls(
            status=Status.CROPPED if optimized.crop else Status.KEPT_ORIGINAL,
            reason=optimized.reason,
            crop=None if optimized.crop is None else CropAnswer.around(optimized.crop),
            confidence=round(optimized.confidence, 4),
            model=ModelAnswer.of(model),
            original_bytes=original_bytes,
            stored_bytes=optimized.kept_bytes,
            saved_bytes=saved_bytes,
            saved_fraction=round(saved_bytes / original_bytes, 4),
            exact=optimized.exact,
        )


def _exif(raw: bytes | None) -> ExifAnswer | None:
    if raw is None:
        return None
    return ExifAnswer(tags=readable_tags(raw), raw_base64=raw_base64(raw))
