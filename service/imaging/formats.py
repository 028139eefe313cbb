"""Which of the formats bytes are, by what they hold; names and media types are never believed."""

from __future__ import annotations

from service.core.photo import PhotoFormat

_HEIF_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_STARTS = {
    b"\xff\xd8\xff": PhotoFormat.JPEG,
    b"\x89PNG\r\n\x1a\n": PhotoFormat.PNG,
    b"GIF87a": PhotoFormat.GIF,
    b"GIF89a": PhotoFormat.GIF,
    b"II*\0": PhotoFormat.TIFF,
    b"MM\0*": PhotoFormat.TIFF,
    b"II+\0": PhotoFormat.TIFF,
    b"MM\0+": PhotoFormat.TIFF,
}
_BMP_HEADER_BYTES = frozenset((12, 40, 52, 56, 64, 108, 124))


def format_of(content: bytes) -> PhotoFormat | None:
    """None where it is none of those that metercrop reads."""
    for start, photo_format in _STARTS.items():
        if content.startswith(start):
            return photo_format
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if content[:2] == b"BM" and int.from_bytes(content[14:18], "little") in _BMP_HEADER_BYTES:
        return PhotoFormat.BMP
    return _iso_format(content)


def _iso_format(content: bytes) -> PhotoFormat | None:
    """HEIC and AVIF share one container; its `ftyp` box lists the major and compatible brands."""
    if content[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(content[:4], "big"), 256, len(content))
    brands = {content[at : at + 4] for at in (8, *range(16, end, 4))}
    if brands & _AVIF_BRANDS:
        return PhotoFormat.AVIF
    return PhotoFormat.HEIC if brands & _HEIF_BRANDS else None
