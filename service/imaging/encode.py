"""A crop as a file: cut from the JPEG's own coefficients, stored as exact pixels, or re-encoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from service.core.encoding import Encoding
from service.core.errors import PhotoRejected
from service.core.geometry import Box
from service.core.orientation import Orientation
from service.core.photo import Photo, PhotoFormat
from service.imaging import raster
from service.imaging.depth import is_narrowed
from service.imaging.exif import carried_exif
from service.imaging.jpeg_lossless import cropped, seeing_box
from service.imaging.jpeg_pixels import jpeg_pixels
from service.imaging.metadata import jpeg_with_metadata
from service.imaging.pillow_formats import opened
from service.imaging.raw_frame import RawFrame
from service.imaging.upright import turned_upright

_RESOLVED_BY_RGBA = frozenset(("1", "L", "LA", "P", "PA", "RGB", "RGBA"))


@dataclass(frozen=True, slots=True)
class EncodedCrop:
    """`box` is what was really cut, in upright pixels; `exact` was verified, not assumed."""

    content: bytes
    format: PhotoFormat
    box: Box
    exact: bool


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be cut out of which photo, boxes in upright pixels."""

    frame: RawFrame
    box: Box
    region: Box
    keep_gps: bool

    @property
    def photo(self) -> Photo:
        return self.frame.photo

    @property
    def raw(self) -> Image.Image:
        return self.frame.pixels

    def raw_box(self, upright: Box) -> Box:
        width, height = self.frame.size
        return self.photo.orientation.to_raw(upright, raw_width=width, raw_height=height)

    def upright_box(self, raw: Box) -> Box:
        width, height = self.frame.size
        return self.photo.orientation.to_upright(raw, raw_width=width, raw_height=height)

    def upright_pixels(self, upright: Box) -> Image.Image:
        cut = self.raw.crop(_corners(self.raw_box(upright)))
        return turned_upright(cut, self.photo.orientation)

    @property
    def icc_profile(self) -> bytes | None:
        return self.frame.icc_profile

    @property
    def upright_exif(self) -> bytes | None:
        return carried_exif(self.photo.exif, Orientation.UPRIGHT, keep_gps=self.keep_gps)


def encoded_crop(
    frame: RawFrame, *, box: Box, region: Box, encoding: Encoding, keep_gps: bool
) -> EncodedCrop:
    """A file that shows at least `box`, both in upright pixels.

    Lossless encodings keep the pixels of `region`. Whether the file is smaller than the photo is
    the caller's to ask.
    """
    photo = frame.photo
    wanted = _joined(box, region).clipped(*photo.size)
    order = _Order(frame, wanted, region.clipped(*photo.size), keep_gps)
    match encoding:
        case Encoding.JPEG:
            return _re_encoded(order, raster.jpeg)
        case Encoding.WEBP:
            return _re_encoded(order, raster.webp)
        case Encoding.AVIF:
            return _re_encoded(order, raster.avif)
        case Encoding.AUTO | Encoding.JPEG_LOSSLESS:
            cut = _cut(order) if photo.format is PhotoFormat.JPEG else None
            return cut or _stored_pixels(order)


def _cut(order: _Order) -> EncodedCrop | None:
    """Of the JPEG's own coefficients, as the raw frame lies; None where that is not exact.

    Pixels would take several times as many bytes, so nothing else is tried where this is.
    """
    photo, region = order.photo, order.raw_box(order.region)
    around = _joined(order.raw_box(order.box), seeing_box(photo.content, region))
    cut = cropped(photo.content, around, scan=order.frame.scan)
    if cut is None:
        return None
    exif = carried_exif(photo.exif, photo.orientation, keep_gps=order.keep_gps)
    content = jpeg_with_metadata(cut.content, exif=exif, icc_profile=order.icc_profile)
    if not (cut.proved or _shows_the_same(content, order.raw, region, cut.box)):
        return None
    return EncodedCrop(content, PhotoFormat.JPEG, order.upright_box(cut.box), exact=True)


def _shows_the_same(content: bytes, raw: Image.Image, region: Box, shown: Box) -> bool:
    """Whether a JPEG that shows `shown` of the raw frame has the very pixels of `region`."""
    try:
        pixels = jpeg_pixels(content)
    except PhotoRejected:
        return False
    return _same(raw.crop(_corners(region)), _part(pixels, region, shown))


def _stored_pixels(order: _Order) -> EncodedCrop:
    """As they were decoded, turned upright."""
    picture = order.upright_pixels(order.box)
    kept = raster.storable(picture)
    stored = raster.lossless(kept, exif=order.upright_exif, icc_profile=order.icc_profile)
    with opened(stored.content, stored.format) as read_back:
        inside = _part(read_back, order.region, order.box)
    exact = not is_narrowed(order.photo, order.raw) and _same(
        _part(picture, order.region, order.box), inside
    )
    return EncodedCrop(stored.content, stored.format, order.box, exact)


def _re_encoded(order: _Order, encoder: raster.Encoder) -> EncodedCrop:
    picture = order.upright_pixels(order.box)
    encoded = encoder(picture, exif=order.upright_exif, icc_profile=order.icc_profile)
    return EncodedCrop(encoded.content, encoded.format, order.box, exact=False)


def _same(original: Image.Image, stored: Image.Image) -> bool:
    """Whether both show the same values, compared where palettes and transparency are resolved."""
    if original.mode == stored.mode and original.mode not in ("P", "PA"):
        return np.array_equal(np.asarray(original), np.asarray(stored))
    if _is_deep(original) or _is_deep(stored):
        return np.array_equal(np.asarray(original), np.asarray(stored))
    if original.mode not in _RESOLVED_BY_RGBA:
        return False
    return np.array_equal(np.asarray(original.convert("RGBA")), np.asarray(stored.convert("RGBA")))


def _is_deep(image: Image.Image) -> bool:
    return image.mode[0] in "IF"


def _part(picture: Image.Image, box: Box, shown: Box) -> Image.Image:
    """`box` out of a picture that shows the box `shown` of the photo."""
    left, top = box.left - shown.left, box.top - shown.top
    return picture.crop((left, top, left + box.width, top + box.height))


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


def _joined(one: Box, other: Box) -> Box:
    return Box(
        min(one.left, other.left),
        min(one.top, other.top),
        max(one.right, other.right),
        max(one.bottom, other.bottom),
    )
