"""Pictures as files of pixels: lossless as WebP or PNG, or re-encoded with loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

import numpy as np
from PIL import Image

from service.core.photo import PhotoFormat
from service.imaging.metadata import icc_profile_for
from service.imaging.rgb import rgb_of

JPEG_QUALITY = 90
"""Edges of digits stay free of visible ringing; with full colour resolution, since the red
decimals of a counter lose their contrast first."""
WEBP_QUALITY = 90
AVIF_QUALITY = 80
"""AVIF's scale runs differently: 80 looks like JPEG's 90."""

_LOSSLESS_MODES = frozenset(("1", "L", "LA", "P", "RGB", "RGBA", "I;16"))
_PNG_ONLY = frozenset(("1", "I;16"))
_WEBP_ONLY = frozenset(("RGB", "RGBA"))
_MAX_WEBP_SIDE = 16_383


@dataclass(frozen=True, slots=True)
class Encoded:
    content: bytes
    format: PhotoFormat


class Encoder(Protocol):
    """Encodes a picture with loss, as RGB."""

    def __call__(
        self, picture: Image.Image, /, *, exif: bytes | None, icc_profile: bytes | None
    ) -> Encoded: ...


def storable(picture: Image.Image) -> Image.Image:
    """The picture in a mode that PNG or WebP can hold, its samples unchanged wherever possible."""
    if picture.mode in _LOSSLESS_MODES:
        return picture
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        samples = np.asarray(picture)
        if samples.min() >= 0 and samples.max() <= 0xFFFF:
            return Image.fromarray(samples.astype("<u2"))
    return rgb_of(picture)


def lossless(picture: Image.Image, *, exif: bytes | None, icc_profile: bytes | None) -> Encoded:
    """The smaller one of the files that hold the pixels of a `storable` picture exactly."""
    tags = _tags(exif, icc_profile, picture.mode)
    grey_profile = picture.mode in ("L", "LA") and "icc_profile" in tags  # WebP takes RGB ones only
    if picture.mode in _PNG_ONLY or grey_profile or max(picture.size) > _MAX_WEBP_SIDE:
        return _png(picture, tags)
    webp = _lossless_webp(picture, tags)
    if picture.mode in _WEBP_ONLY:  # for photos PNG never wins, and costs as much again to try
        return webp
    return min(webp, _png(picture, tags), key=lambda encoded: len(encoded.content))


def jpeg(picture: Image.Image, *, exif: bytes | None, icc_profile: bytes | None) -> Encoded:
    options = {
        "quality": JPEG_QUALITY,
        "subsampling": "4:4:4",
        "optimize": True,
        "progressive": True,
    }
    return _as_rgb(picture, PhotoFormat.JPEG, {**options, **_tags(exif, icc_profile, "RGB")})


def webp(picture: Image.Image, *, exif: bytes | None, icc_profile: bytes | None) -> Encoded:
    options = {"quality": WEBP_QUALITY, "method": 4}
    return _as_rgb(picture, PhotoFormat.WEBP, {**options, **_tags(exif, icc_profile, "RGB")})


def avif(picture: Image.Image, *, exif: bytes | None, icc_profile: bytes | None) -> Encoded:
    options = {"quality": AVIF_QUALITY, "subsampling": "4:4:4"}
    return _as_rgb(picture, PhotoFormat.AVIF, {**options, **_tags(exif, icc_profile, "RGB")})


def png(picture: Image.Image) -> bytes:
    """Without metadata, and quickly: for looking at once."""
    return _saved(picture, PhotoFormat.PNG, {"compress_level": 3}).content


def _png(picture: Image.Image, tags: Mapping[str, bytes]) -> Encoded:
    return _saved(picture, PhotoFormat.PNG, {"optimize": True, **tags})


def _lossless_webp(picture: Image.Image, tags: Mapping[str, bytes]) -> Encoded:
    """`exact` also keeps the colours of what is fully transparent."""
    mode = "RGBA" if picture.has_transparency_data else "RGB"
    options = {"lossless": True, "exact": True, "quality": 80, "method": 4}
    return _saved(picture.convert(mode), PhotoFormat.WEBP, {**options, **tags})


def _as_rgb(picture: Image.Image, photo_format: PhotoFormat, options: Mapping[str, Any]) -> Encoded:
    return _saved(rgb_of(picture), photo_format, options)


def _tags(exif: bytes | None, icc_profile: bytes | None, mode: str) -> dict[str, bytes]:
    block = None if exif is None else b"Exif\0\0" + exif  # Pillow's JPEG wants it whole
    given = {"exif": block, "icc_profile": icc_profile_for(mode, icc_profile)}
    return {name: value for name, value in given.items() if value is not None}


def _saved(picture: Image.Image, photo_format: PhotoFormat, options: Mapping[str, Any]) -> Encoded:
    """Pillow would carry on what it finds in `info`: only transparency belongs to the pixels."""
    plain = picture.copy()
    plain.info = {name: value for name, value in picture.info.items() if name == "transparency"}
    file = BytesIO()
    plain.save(file, format=photo_format.name, **options)
    return Encoded(file.getvalue(), photo_format)
