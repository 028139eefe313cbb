"""What a photo's header says; nothing here decodes a pixel."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.errors import PhotoRejected
from service.core.orientation import Orientation
from service.core.photo import Limits, Photo, PhotoFormat, sha256_of
from service.imaging.exif import captured_at, exif_of_tiff_file, orientation_tag, without_prefix
from service.imaging.formats import format_of
from service.imaging.iso_boxes import exif_item, require_whole_boxes
from service.imaging.jpeg_file import jpeg_header
from service.imaging.pillow_formats import opened, opened_heic
from service.imaging.refusal import unreadable
from service.imaging.webp_header import webp_exif, webp_size


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    exif: bytes | None


def photo_of(content: bytes, limits: Limits) -> Photo:
    """Raises `PhotoRejected` with the code that says why; the limits come before any decoding."""
    if not content:
        raise PhotoRejected("photo.empty", "the photo has no bytes; send the file's content")
    if len(content) > limits.max_bytes:
        raise PhotoRejected(
            "photo.too_large",
            f"the photo has {len(content)} bytes, at most {limits.max_bytes} are taken",
        )
    photo_format = format_of(content)
    if photo_format is None:
        raise PhotoRejected(
            "photo.unsupported",
            "this is none of JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC and AVIF; convert it to one",
        )
    header = _header(content, photo_format)
    _require_within(header, limits)
    return _photo(content, photo_format, header)


def _photo(content: bytes, photo_format: PhotoFormat, header: _Header) -> Photo:
    written = orientation_tag(header.exif)
    return Photo(
        content=content,
        sha256=sha256_of(content),
        format=photo_format,
        raw_width=header.width,
        raw_height=header.height,
        orientation=_left_to_turn(written, photo_format),
        exif_orientation=written,
        exif=header.exif,
        captured_at=captured_at(header.exif),
    )


def _left_to_turn(written: int, photo_format: PhotoFormat) -> Orientation:
    """What the decoder leaves to do: those of HEIC and TIFF turn the picture themselves."""
    if photo_format in (PhotoFormat.HEIC, PhotoFormat.TIFF):
        return Orientation.UPRIGHT
    return Orientation.from_exif(written)


def _require_within(header: _Header, limits: Limits) -> None:
    pixels = header.width * header.height
    if pixels > limits.max_pixels:
        raise PhotoRejected(
            "photo.too_many_pixels",
            f"the photo is {header.width} by {header.height}, that is {pixels} pixels; at most "
            f"{limits.max_pixels} are taken",
        )


def _header(content: bytes, photo_format: PhotoFormat) -> _Header:
    if photo_format is PhotoFormat.JPEG:
        return _jpeg_header(content)
    if photo_format is PhotoFormat.WEBP:
        return _Header(*webp_size(content), without_prefix(webp_exif(content)))
    try:
        return _foreign_header(content, photo_format)
    except PhotoRejected:
        raise
    except Exception as error:  # broken bytes lead decoders to raise anything
        raise unreadable(photo_format, error) from error


def _jpeg_header(content: bytes) -> _Header:
    file = jpeg_header(content)
    frame = file.frame
    if frame.precision != 8 or len(frame.components) not in (1, 3, 4):
        raise PhotoRejected(
            "photo.unsupported",
            f"the JPEG has {len(frame.components)} components of {frame.precision} bits; "
            "1, 3 or 4 of 8 bits are read, convert it",
        )
    return _Header(frame.width, frame.height, file.exif)


def _foreign_header(content: bytes, photo_format: PhotoFormat) -> _Header:
    if photo_format in (PhotoFormat.HEIC, PhotoFormat.AVIF):
        require_whole_boxes(content, photo_format)
    if photo_format is PhotoFormat.HEIC:
        width, height = opened_heic(content).size
        return _Header(width, height, without_prefix(exif_item(content)))
    with opened(content, photo_format) as image:
        if photo_format is PhotoFormat.TIFF:
            return _Header(*image.size, without_prefix(exif_of_tiff_file(content)))
        return _Header(*image.size, without_prefix(image.info.get("exif")))
