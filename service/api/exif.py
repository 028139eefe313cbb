"""A photo's EXIF as JSON."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from fractions import Fraction

from PIL import ExifTags, Image, TiffImagePlugin

SUBDIRECTORIES: Mapping[int, Mapping[int, str]] = {
    ExifTags.IFD.Exif: ExifTags.TAGS,
    ExifTags.IFD.GPSInfo: ExifTags.GPSTAGS,
}


def readable_tags(raw: bytes) -> dict[str, object]:
    """The tags of an EXIF block by Pillow's names; what can't be read is left out."""
    exif = Image.Exif()
    try:
        exif.load(b"Exif\x00\x00" + raw)
        tags = _named(exif, ExifTags.TAGS)
        for pointer, names in SUBDIRECTORIES.items():
            tags.pop(ExifTags.TAGS.get(pointer, ""), None)
            tags.update(_named(exif.get_ifd(pointer), names))
    except Exception:  # noqa: BLE001  Pillow raises whatever a broken block leads it to
        return {}
    return tags


def raw_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _named(directory: Mapping[int, object], names: Mapping[int, str]) -> dict[str, object]:
    return {names.get(tag, f"0x{tag:04x}"): _plain(value) for tag, value in directory.items()}


def _plain(value: object) -> object:
    """The value in JSON's terms; bytes that are no text become base64."""
    match value:
        case bytes():
            return _text_of(value)
        case str():
            return value.rstrip("\x00").encode("utf-8", "replace").decode("utf-8")
        case int():
            return value
        case TiffImagePlugin.IFDRational() | Fraction() | float():
            number = float(value)
            return number if math.isfinite(number) else None
        case tuple() | list():
            return [_plain(each) for each in value]
    return str(value)


def _text_of(value: bytes) -> str:
    text = value.rstrip(b"\x00")
    if text.isascii() and text.decode("ascii").isprintable():
        return text.decode("ascii")
    return raw_base64(value)
