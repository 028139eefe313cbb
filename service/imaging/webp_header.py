"""WebP's chunks (RFC 9649), read without the library, which would allocate the canvas."""

from __future__ import annotations

from collections.abc import Iterator

from service.core.photo import PhotoFormat
from service.imaging.refusal import corrupt, truncated


def webp_size(content: bytes) -> tuple[int, int]:
    """(width, height). Raises `PhotoRejected` where the header cannot be read."""
    declared = int.from_bytes(content[4:8], "little") + 8
    if declared > len(content):
        where = f"it has {len(content)} of its {declared} bytes"
        raise truncated(PhotoFormat.WEBP, where)
    for name, body in _chunks(content):
        match name:
            case b"VP8X" if len(body) >= 10:
                return _number(body[4:7]) + 1, _number(body[7:10]) + 1
            case b"VP8 " if body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
                return _number(body[6:8]) & 0x3FFF, _number(body[8:10]) & 0x3FFF
            case b"VP8L" if body[:1] == b"\x2f" and len(body) >= 5:
                bits = _number(body[1:5])
                return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
            case _:
                break
    raise corrupt(PhotoFormat.WEBP, "it does not begin with a picture's header")


def webp_exif(content: bytes) -> bytes | None:
    """The EXIF block, None where there is none."""
    return next((body for name, body in _chunks(content) if name == b"EXIF"), None)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(content):
        length = _number(content[at + 4 : at + 8])
        yield content[at : at + 4], content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _number(little: bytes) -> int:
    return int.from_bytes(little, "little")
