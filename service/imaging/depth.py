"""Sources with more than eight bits a colour, of which decoding keeps the upper eight."""

from __future__ import annotations

from PIL import Image

from service.core.photo import Photo, PhotoFormat
from service.imaging.png_chunks import samples_are_16_bit_colour
from service.imaging.tiff_directory import byte_order_of, main_directory

_BITS_PER_SAMPLE = 258
_AVIF_HIGH_BIT_DEPTH = 0x40


def is_narrowed(photo: Photo, raw: Image.Image) -> bool:
    """Whether `raw`, decoded from `photo`, holds less than the file does."""
    match photo.format:
        case PhotoFormat.PNG:
            return samples_are_16_bit_colour(photo.content)
        case PhotoFormat.TIFF:
            return raw.mode in ("RGB", "RGBA", "CMYK", "LA") and _deepest(photo.content) > 8
        case PhotoFormat.HEIC:
            return int(raw.info.get("bit_depth", 8)) > 8
        case PhotoFormat.AVIF:
            return _is_deep_avif(photo.content)
        case _:
            return False


def _deepest(tiff: bytes) -> int:
    entry, order = main_directory(tiff).get(_BITS_PER_SAMPLE), byte_order_of(tiff)
    if entry is None or order is None or entry.type != 3:
        return 8
    values = (entry.value[at : at + 2] for at in range(0, 2 * entry.count, 2))
    return max(map(order.number, values))


def _is_deep_avif(content: bytes) -> bool:
    """The third byte of the codec's configuration (AV1 in ISOBMFF, section 2.3.3) says so."""
    flags_at = content.find(b"av1C") + 6
    return flags_at > 6 and bool(content[flags_at] & _AVIF_HIGH_BIT_DEPTH)
