"""JPEGs packed as JPEG XL, a sixth smaller, and brought back byte for byte (ISO 18181-2).

The coefficients are coded anew and all else of the file is kept beside them, so any decoder of
JPEG XL shows the picture, and libjxl's `djxl` brings the JPEG back without this program.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

from service.core.errors import Unavailable

MEDIA_TYPE = "image/jxl"
EXTENSION = "jxl"
INSTALLATION = "`pip install 'metercrop[jxl]'`"


def is_available() -> bool:
    return _codec() is not None


def packed(jpeg: bytes) -> bytes | None:
    """As JPEG XL, unpacked once and compared; None of what can't be brought back to the last byte.

    It takes some 20 MB a megapixel and one core. Raises `Unavailable` `codec.unavailable`.
    """
    codec = _required()
    try:
        small = bytes(codec.jpegxl_encode_jpeg(jpeg, numthreads=1))
    except (codec.JpegxlError, ValueError):
        return None
    return small if unpacked(small) == jpeg else None


def unpacked(small: bytes) -> bytes | None:
    """The JPEG, None where there is none to be had. Raises `Unavailable` `codec.unavailable`."""
    codec = _required()
    try:
        return bytes(codec.jpegxl_decode_jpeg(small, numthreads=1))
    except (codec.JpegxlError, ValueError):
        return None


def _required() -> ModuleType:
    codec = _codec()
    if codec is None:
        raise Unavailable(
            "codec.unavailable",
            f"JPEG XL can be neither written nor read here, as imagecodecs is missing; "
            f"{INSTALLATION} brings it",
            retry_after_s=60,
        )
    return codec


@cache
def _codec() -> ModuleType | None:
    try:
        import imagecodecs  # noqa: PLC0415  optional; only an archive tier needs it
    except ImportError:
        return None
    return imagecodecs if imagecodecs.JPEGXL.available else None
