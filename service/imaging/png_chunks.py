"""PNG's chunks and their check sums (PNG, section 5), which Pillow skips for pixel data."""

from __future__ import annotations

import zlib

from service.core.photo import PhotoFormat
from service.imaging.refusal import corrupt, truncated

_CHECKED = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT"))


def require_sound_png(content: bytes) -> None:
    """Raises `PhotoRejected` where the file stops before its end or its pixel data was altered."""
    at = 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        name, end = content[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(content):
            break
        if name in _CHECKED and zlib.crc32(content[at + 4 : end]) != _number(
            content[end : end + 4]
        ):
            raise corrupt(PhotoFormat.PNG, f"the check sum of its {name.decode()} chunk is wrong")
        if name == b"IEND":
            return
        at = end + 4
    raise truncated(PhotoFormat.PNG, "its end chunk is missing")


def samples_are_16_bit_colour(content: bytes) -> bool:
    """Whether the header promises more than the eight bits a channel that decoding keeps."""
    bit_depth, colour_type = content[24], content[25]
    return bit_depth == 16 and colour_type != 0


def _number(big: bytes) -> int:
    return int.from_bytes(big, "big")
