"""A foreign decoder's complaint, said as a refusal."""

from __future__ import annotations

from service.core.errors import PhotoRejected
from service.core.photo import PhotoFormat

_SIGNS_OF_A_MISSING_END = ("truncated", "end of file", "unexpected end", "end-of-data", "eof")


def unreadable(photo_format: PhotoFormat, error: Exception) -> PhotoRejected:
    """`photo.truncated` where the complaint says so, else `photo.corrupt`."""
    name, complaint = photo_format.name, str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        return PhotoRejected(
            "photo.too_many_pixels",
            f"the {name} does not fit into this machine's memory; send a smaller one",
        )
    lowered = complaint.lower()
    if isinstance(error, EOFError) or any(sign in lowered for sign in _SIGNS_OF_A_MISSING_END):
        return truncated(photo_format, complaint)
    return corrupt(photo_format, complaint)


def corrupt(photo_format: PhotoFormat, what: str) -> PhotoRejected:
    return PhotoRejected(
        "photo.corrupt",
        f"the {photo_format.name} is damaged ({what}); take it from its source again",
    )


def truncated(photo_format: PhotoFormat, where: str) -> PhotoRejected:
    return PhotoRejected(
        "photo.truncated",
        f"the {photo_format.name} is cut short ({where}); transfer it whole again",
    )
