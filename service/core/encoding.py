"""How a crop may be encoded."""

from __future__ import annotations

from enum import StrEnum


class Encoding(StrEnum):
    """`auto` is the smallest that keeps the region's pixels exactly."""

    AUTO = "auto"
    JPEG_LOSSLESS = "jpeg-lossless"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"


class ArchiveEncoding(StrEnum):
    """What stored JPEG crops are packed into, and served out of as the very same JPEG bytes."""

    JXL = "jxl"
