"""Metadata put into a JPEG that has none."""

from __future__ import annotations

from service.imaging.jpeg_file import APP1, APP2, Segment, jpeg_header

_MAX_ICC_PART = 65_519


def jpeg_with_metadata(content: bytes, *, exif: bytes | None, icc_profile: bytes | None) -> bytes:
    """EXIF and ICC segments behind the JFIF one, where readers look for them."""
    added = _icc_segments(icc_profile or b"")
    if exif is not None:
        added.insert(0, Segment(APP1, b"Exif\0\0" + exif))
    jfif = [segment for segment in jpeg_header(content).segments if segment.is_jfif][:1]
    start = 2 + sum(len(segment.encoded) for segment in jfif)
    parts = (part.encoded for part in added)
    return b"".join((content[:start], *parts, memoryview(content)[start:]))


def _icc_segments(profile: bytes) -> list[Segment]:
    """Numbered parts, each with their count (ICC.1, annex B.4)."""
    parts = [profile[at : at + _MAX_ICC_PART] for at in range(0, len(profile), _MAX_ICC_PART)]
    return [
        Segment(APP2, b"ICC_PROFILE\0" + bytes((number, len(parts))) + part)
        for number, part in enumerate(parts, 1)
    ]


def icc_profile_for(mode: str, profile: bytes | None) -> bytes | None:
    """The profile where it speaks of the samples that a picture of this mode holds, else None."""
    space = b"GRAY" if mode in ("1", "L", "LA", "I;16") else b"RGB "
    return profile if profile is not None and profile[16:20] == space else None
