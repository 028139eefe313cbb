"""A photo before anything has been decoded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.core.orientation import Orientation


class PhotoFormat(StrEnum):
    """What metercrop reads; the value is the media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    TIFF = "image/tiff"
    BMP = "image/bmp"
    GIF = "image/gif"
    HEIC = "image/heic"
    AVIF = "image/avif"

    @property
    def extension(self) -> str:
        return {"image/jpeg": "jpg", "image/tiff": "tif"}.get(self, self.split("/")[1])


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before decoding."""

    max_bytes: int = 50_000_000
    max_pixels: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Photo:
    """The bytes as they came, and what their header says."""

    content: bytes
    sha256: str
    format: PhotoFormat
    raw_width: int
    raw_height: int
    orientation: Orientation
    exif_orientation: int
    """The tag as it was written, 1 where there is none; `orientation` is what it means."""
    exif: bytes | None = None
    """The TIFF structure of the EXIF block, without the `Exif\\0\\0` before it."""
    captured_at: datetime | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright photo."""
        return self.orientation.upright_size(self.raw_width, self.raw_height)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
