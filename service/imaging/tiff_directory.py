"""TIFF directories (TIFF 6.0, section 2), read from untrusted bytes and written anew.

EXIF is such a structure. Values stay the bytes they are, in the file's own byte order, so that what
is carried over is carried over unchanged. Reading never raises: what cannot be read is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_BYTES_PER_VALUE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_MAX_ENTRIES = 512
_MAX_VALUE_BYTES = 65_536
_ENTRY_BYTES = 12


class ByteOrder(StrEnum):
    """The two letters that a TIFF structure begins with."""

    LITTLE = "II"
    BIG = "MM"

    def number(self, value: bytes) -> int:
        return int.from_bytes(value, "little" if self is ByteOrder.LITTLE else "big")

    def bytes_of(self, number: int, length: int) -> bytes:
        return number.to_bytes(length, "little" if self is ByteOrder.LITTLE else "big")


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag's value: `type` and `count` as TIFF numbers them, `value` as it lies in the file."""

    type: int
    count: int
    value: bytes


Directory = Mapping[int, Entry]


def byte_order_of(tiff: bytes) -> ByteOrder | None:
    """None where this is no TIFF structure."""
    if tiff[:4] == b"II*\0":
        return ByteOrder.LITTLE
    return ByteOrder.BIG if tiff[:4] == b"MM\0*" else None


def main_directory(tiff: bytes) -> Directory:
    """The first directory, empty where there is none."""
    order = byte_order_of(tiff)
    return {} if order is None else _directory_at(tiff, order.number(tiff[4:8]), order)


def linked_directory(tiff: bytes, link_tag: int) -> Directory:
    """The directory that a tag of the first one points to, empty where there is none."""
    order = byte_order_of(tiff)
    link = main_directory(tiff).get(link_tag)
    if order is None or link is None or link.type not in (4, 13):
        return {}
    return _directory_at(tiff, order.number(link.value), order)


def _directory_at(tiff: bytes, offset: int, order: ByteOrder) -> Directory:
    entries: dict[int, Entry] = {}
    for index in range(min(order.number(tiff[offset : offset + 2]), _MAX_ENTRIES)):
        start = offset + 2 + index * _ENTRY_BYTES
        raw = tiff[start : start + _ENTRY_BYTES]
        entry = _entry(tiff, raw, order) if len(raw) == _ENTRY_BYTES else None
        if entry is not None:
            entries.setdefault(order.number(raw[:2]), entry)
    return entries


def _entry(tiff: bytes, raw: bytes, order: ByteOrder) -> Entry | None:
    kind, count = order.number(raw[2:4]), order.number(raw[4:8])
    length = _BYTES_PER_VALUE.get(4 if kind == 13 else kind, 0) * count
    if not 0 < length <= _MAX_VALUE_BYTES:
        return None
    at = order.number(raw[8:12])
    value = raw[8 : 8 + length] if length <= 4 else tiff[at : at + length]
    return Entry(kind, count, value) if len(value) == length else None


def tiff_of(main: Directory, links: Mapping[int, Directory], *, order: ByteOrder) -> bytes:
    """A TIFF structure of these directories; `links` are those that a tag of `main` points to."""
    head = order.value.encode() + order.bytes_of(42, 2) + order.bytes_of(8, 4)
    pointers = {tag: Entry(4, 1, bytes(4)) for tag, linked in links.items() if linked}
    at = len(head) + len(_directory({**main, **pointers}, 8, order))
    linked_bytes = b""
    for tag in pointers:
        pointers[tag] = Entry(4, 1, order.bytes_of(at + len(linked_bytes), 4))
        linked_bytes += _directory(links[tag], at + len(linked_bytes), order)
    return head + _directory({**main, **pointers}, 8, order) + linked_bytes


def _directory(entries: Directory, at: int, order: ByteOrder) -> bytes:
    """The directory's bytes where it begins at `at`: the table, then the values too long for it."""
    table, values = order.bytes_of(len(entries), 2), b""
    values_at = at + 2 + len(entries) * _ENTRY_BYTES + 4
    for tag, entry in sorted(entries.items()):
        table += order.bytes_of(tag, 2) + order.bytes_of(entry.type, 2)
        table += order.bytes_of(entry.count, 4)
        if len(entry.value) <= 4:
            table += entry.value.ljust(4, b"\0")
            continue
        table += order.bytes_of(values_at + len(values), 4)
        values += entry.value + bytes(len(entry.value) % 2)
    return table + bytes(4) + values
