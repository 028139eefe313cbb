"""What metercrop reads from EXIF (CIPA DC-008), and the little of it that a crop carries on.

Cameras write it badly in every way there is; nothing here raises, and no photo is refused for it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from service.core.orientation import Orientation
from service.imaging.tiff_directory import (
    ByteOrder,
    Directory,
    Entry,
    byte_order_of,
    linked_directory,
    main_directory,
    tiff_of,
)

ORIENTATION = 0x0112
DATE_TIME = 0x0132
EXIF_LINK = 0x8769
GPS_LINK = 0x8825
DATE_TIME_ORIGINAL = 0x9003
OFFSET_TIME = 0x9010
OFFSET_TIME_ORIGINAL = 0x9011

_PIXEL_LAYOUT = frozenset(
    (*range(254, 260), 262, 266, 273, *range(277, 280), *range(282, 285), *range(288, 294), 296)
) | {317, 320, *range(322, 326), 330, 338, 339, 347, *range(512, 533), 700, 34377, 34675}
"""Tags of a TIFF file that describe how its own pixels lie, and mean nothing without them."""

_MAX_EXIF_BYTES = 1_000_000
"""It is kept whole in the record; JPEG's own measure is 65,533."""
_MAX_CARRIED_BYTES = 512
_SHORT, _LONG, _BYTE = 3, 4, 1
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")


def without_prefix(block: bytes | None) -> bytes | None:
    """The TIFF structure in an EXIF block, None where there is none, or one beyond all measure."""
    tiff = block.removeprefix(b"Exif\0\0") if block else b""
    return tiff if 0 < len(tiff) <= _MAX_EXIF_BYTES else None


def orientation_tag(exif: bytes | None) -> int:
    """As it was written, 1 where there is none that can be read."""
    entry = main_directory(exif or b"").get(ORIENTATION)
    order = byte_order_of(exif or b"")
    if entry is None or order is None or entry.count != 1:
        return Orientation.UPRIGHT
    if entry.type not in (_BYTE, _SHORT, _LONG) or order.number(entry.value) > 0xFFFF:
        return Orientation.UPRIGHT
    return order.number(entry.value)


def captured_at(exif: bytes | None) -> datetime | None:
    """When the picture was taken, in UTC, which is also assumed where no offset is written."""
    if exif is None:
        return None
    main, detail = main_directory(exif), linked_directory(exif, EXIF_LINK)
    taken = _moment(detail.get(DATE_TIME_ORIGINAL), detail.get(OFFSET_TIME_ORIGINAL))
    return taken or _moment(main.get(DATE_TIME), detail.get(OFFSET_TIME))


def carried_exif(exif: bytes | None, orientation: Orientation, *, keep_gps: bool) -> bytes | None:
    """The EXIF of a crop: how to turn it, when it was taken, where only if asked for, no more.

    None where there is nothing to say.
    """
    source = exif or b""
    order = byte_order_of(source) or ByteOrder.BIG
    main: dict[int, Entry] = {}
    if orientation is not Orientation.UPRIGHT:
        main[ORIENTATION] = Entry(_SHORT, 1, order.bytes_of(orientation, 2))
    detail = linked_directory(source, EXIF_LINK)
    taken = _chosen(detail, DATE_TIME_ORIGINAL, OFFSET_TIME_ORIGINAL)
    if DATE_TIME_ORIGINAL not in taken:
        main |= _chosen(main_directory(source), DATE_TIME)
        taken = _chosen(detail, OFFSET_TIME) if DATE_TIME in main else {}
    where = _short(linked_directory(source, GPS_LINK)) if keep_gps else {}
    if not (main or taken or where):
        return None
    return tiff_of(main, {EXIF_LINK: taken, GPS_LINK: where}, order=order)


def exif_of_tiff_file(content: bytes) -> bytes | None:
    """The EXIF in a TIFF file, whose own directory it shares, without what describes the pixels."""
    order = byte_order_of(content)
    if order is None:
        return None
    links = {link: linked_directory(content, link) for link in (EXIF_LINK, GPS_LINK)}
    main = main_directory(content).items()
    kept = {tag: entry for tag, entry in main if tag not in _PIXEL_LAYOUT and tag not in links}
    return tiff_of(kept, links, order=order) if kept or any(links.values()) else None


def _chosen(directory: Directory, *tags: int) -> dict[int, Entry]:
    return {tag: entry for tag, entry in _short(directory).items() if tag in tags}


def _short(directory: Directory) -> dict[int, Entry]:
    """Without overlong values: a JPEG has 65,533 bytes for all of its EXIF."""
    return {
        tag: entry for tag, entry in directory.items() if len(entry.value) <= _MAX_CARRIED_BYTES
    }


def _moment(time: Entry | None, offset: Entry | None) -> datetime | None:
    found = _TIME.match(_text(time))
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        local = datetime(year, month, day, hour, minute, second, tzinfo=_zone(_text(offset)))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February, or the year 0
        return None


def _zone(offset: str) -> timezone:
    """Raises ValueError for a day or more."""
    found = _OFFSET.match(offset)
    if found is None:
        return UTC
    sign, hours, minutes = found.groups()
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-ahead if sign == "-" else ahead)


def _text(entry: Entry | None) -> str:
    return "" if entry is None else entry.value.decode("ascii", "replace").strip("\0 ")
