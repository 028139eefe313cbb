"""The boxes that HEIC and AVIF consist of (ISO/IEC 14496-12, section 4.2), and the EXIF in them.

Reading EXIF never raises: what cannot be read is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.core.photo import PhotoFormat
from service.imaging.refusal import truncated

_FULL_BOX_HEAD = 4
_IN_FILE, _IN_IDAT = 0, 1
_MAX_EXTENTS, _MAX_EXTENT_BYTES = 16, 1_000_000


@dataclass(frozen=True, slots=True)
class IsoBox:
    """`start` and `end` are those of its content."""

    name: bytes
    start: int
    end: int


def boxes(content: bytes, start: int, end: int) -> Iterator[IsoBox]:
    """One after another; the last may claim to end beyond `end`, and then nothing follows it."""
    at = start
    while at + 8 <= end:
        length, head = _number(content[at : at + 4]), 8
        if length == 1:
            length, head = _number(content[at + 8 : at + 16]), 16
        if length == 0:  # to the end, wherever that is
            length = end - at
        yield IsoBox(content[at + 4 : at + 8], at + head, at + max(length, head))
        at += max(length, head)


def require_whole_boxes(content: bytes, photo_format: PhotoFormat) -> None:
    """Raises `PhotoRejected` `photo.truncated` where a box goes on past the file's end."""
    end = max((box.end for box in boxes(content, 0, len(content))), default=0)
    if end > len(content):
        raise truncated(photo_format, f"it has {len(content)} of {end} bytes")


def without_descriptions(content: bytes) -> bytes:
    """The same pictures, with the links from EXIF and XMP to them made unreadable."""
    meta = _first(content, b"meta", 0, len(content))
    if meta is None:
        return content
    hidden = content[meta.start : meta.end].replace(b"cdsc", b"free")
    return content[: meta.start] + hidden + content[meta.end :]


def exif_item(content: bytes) -> bytes | None:
    """The TIFF structure of the file's first EXIF item (ISO/IEC 23008-12, annex A.2.1)."""
    meta = _first(content, b"meta", 0, len(content))
    if meta is None:
        return None
    start = meta.start + _FULL_BOX_HEAD
    item = _exif_item_number(content, start, meta.end)
    location = _first(content, b"iloc", start, meta.end)
    if item is None or location is None:
        return None
    kept_apart = _first(content, b"idat", start, meta.end)
    block = _item(content, item, location, kept_apart)
    return block[4 + _number(block[:4]) :] or None


def _exif_item_number(content: bytes, start: int, end: int) -> int | None:
    names = _first(content, b"iinf", start, end)
    if names is None:
        return None
    wide = content[names.start] > 0 if names.start < len(content) else False
    for entry in boxes(content, names.start + _FULL_BOX_HEAD + (4 if wide else 2), names.end):
        body = content[entry.start : entry.end]
        number_bytes = 4 if body[:1] == b"\x03" else 2
        kind_at = _FULL_BOX_HEAD + number_bytes + 2
        if body[kind_at : kind_at + 4] == b"Exif":
            return _number(body[_FULL_BOX_HEAD : _FULL_BOX_HEAD + number_bytes])
    return None


class _Fields:
    """Big-endian numbers, one after another; past the end they are zeros."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def next(self, length: int) -> int:
        self._at += length
        return _number(self._content[self._at - length : self._at])

    @property
    def left(self) -> bool:
        return self._at < len(self._content)


def _item(content: bytes, item: int, location: IsoBox, idat: IsoBox | None) -> bytes:
    """An item's bytes, found through the item location box (ISO/IEC 14496-12, section 8.11.3)."""
    fields = _Fields(content[location.start : location.end])
    version = fields.next(1)
    fields.next(3)
    sizes = fields.next(2)
    offset_bytes, length_bytes, base_bytes = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_bytes = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    fields.next(wide)
    while fields.left:
        number = fields.next(wide)
        method = fields.next(2) & 15 if version else _IN_FILE
        fields.next(2)
        base, extents = fields.next(base_bytes), fields.next(2)
        if index_bytes + offset_bytes + length_bytes == 0:  # extents without any place
            return b""
        parts = []
        for _ in range(extents):
            fields.next(index_bytes)
            offset, length = fields.next(offset_bytes), fields.next(length_bytes)
            parts.append((base + offset, min(length, _MAX_EXTENT_BYTES)))
        if number == item:
            start = idat.start if method == _IN_IDAT and idat is not None else 0
            places = ((start + at, start + at + length) for at, length in parts[:_MAX_EXTENTS])
            return b"".join(content[begin:end] for begin, end in places)
    return b""


def _first(content: bytes, name: bytes, start: int, end: int) -> IsoBox | None:
    return next(
        (box for box in boxes(content, start, min(end, len(content))) if box.name == name), None
    )


def _number(big: bytes) -> int:
    return int.from_bytes(big, "big")
