"""Whether a stored crop can really take the place of its original."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.core.errors import PhotoRejected
from service.core.photo import Limits, sha256_of
from service.core.record import Record, StoredPhoto
from service.imaging.decode import decoded
from service.imaging.probe import photo_of
from service.ports import ObjectStore
from service.usecases.ingest import PixelBudget
from service.usecases.photos import stored_content


class Fault(StrEnum):
    MISSING = "crop_missing"
    CHANGED = "crop_changed"
    UNREADABLE = "crop_unreadable"


@dataclass(frozen=True, slots=True)
class FaultyCrop:
    fault: Fault
    message: str


def fault_of_crop(record: Record, store: ObjectStore, budget: PixelBudget) -> FaultyCrop | None:
    """None where it lies in the store, has the recorded bytes, and decodes to the recorded size."""
    stored = record.stored
    content = stored_content(store, stored)
    if content is None:
        return FaultyCrop(Fault.MISSING, f"there is no object {stored.key}")
    if len(content) != stored.content_bytes or sha256_of(content) != stored.sha256:
        return FaultyCrop(Fault.CHANGED, f"{stored.key} has other bytes than were recorded")
    with budget.held(stored.width * stored.height):
        trouble = _trouble_with_picture(stored, content)
    return None if trouble is None else FaultyCrop(Fault.UNREADABLE, f"{stored.key}: {trouble}")


def _trouble_with_picture(stored: StoredPhoto, content: bytes) -> str | None:
    limits = Limits(max_bytes=stored.content_bytes, max_pixels=stored.width * stored.height)
    try:
        photo = photo_of(content, limits)
        decoded(photo)
    except PhotoRejected as error:
        return str(error)
    if (photo.format, photo.size) != (stored.media_type, (stored.width, stored.height)):
        return f"it is {photo.format} of {photo.size}, and was recorded otherwise"
    return None
