"""Photo bytes for tests: a drawn meter in every format, orientation and state of damage.

All are made on the spot and the same in every run, but for the HEIC, which this project cannot
encode: it is a drawing of 64 by 48 pixels, encoded once and kept here.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image, ImageCms, ImageDraw, ImageFont

from service.core.geometry import Box

CAPTURED = "2026:03:01 10:35:21"
OFFSET = "+01:00"
"""Together 2026-03-01T09:35:21Z."""

EXIF_LINK, GPS_LINK = 0x8769, 0x8825


@dataclass(frozen=True)
class Gps:
    """A place, as EXIF writes it."""

    latitude: tuple[float, float, float] = (46.0, 4.0, 12.5)
    longitude: tuple[float, float, float] = (11.0, 7.0, 30.25)


def picture(
    width: int = 640, height: int = 480, *, seed: int = 0, mode: str = "RGB"
) -> Image.Image:
    """A counter with digits on a plate, lit unevenly, with the noise of a sensor."""
    return _picture(width, height, seed).convert(mode)


@cache
def _picture(width: int, height: int, seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    light = np.linspace(90, 190, width)[None, :, None] + np.linspace(-20, 20, height)[:, None, None]
    wall = np.broadcast_to(light * [1.0, 0.94, 0.85], (height, width, 3))
    drawn = Image.fromarray(wall.clip(0, 255).astype(np.uint8))
    _draw_counter(drawn, region(width, height), digits=f"{rng.integers(0, 10**7):07d}")
    noisy = np.asarray(drawn) + rng.normal(0.0, 5.0, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def region(width: int = 640, height: int = 480) -> Box:
    """Where `picture` has its counter."""
    left, top = width * 3 // 10, height * 2 // 5
    return Box(left, top, max(left + 1, width * 7 // 10), max(top + 1, height * 3 // 5))


def _draw_counter(drawn: Image.Image, window: Box, *, digits: str) -> None:
    draw = ImageDraw.Draw(drawn)
    corners = (window.left, window.top, window.right - 1, window.bottom - 1)
    draw.rectangle(corners, fill=(25, 25, 28), outline=(210, 210, 205))
    font = ImageFont.load_default(max(4, window.height * 0.6))
    pitch = window.width / len(digits)
    for index, digit in enumerate(digits):
        colour = (200, 30, 30) if index >= 5 else (240, 240, 235)
        place = (window.left + (index + 0.2) * pitch, window.top + window.height * 0.1)
        draw.text(place, digit, fill=colour, font=font)


def exif(
    *,
    orientation: int | None = None,
    captured: str | None = CAPTURED,
    offset: str | None = OFFSET,
    date_time: str | None = None,
    gps: Gps | None = None,
    maker: str | None = None,
) -> bytes:
    """An EXIF block with `Exif\\0\\0` before it, as encoders take it."""
    block = Image.Exif()
    main = {0x0112: orientation, 0x0132: date_time, 0x010F: maker}
    detail = {0x9003: captured, 0x9011: offset}
    block.update({tag: value for tag, value in main.items() if value is not None})
    block.get_ifd(EXIF_LINK).update(
        {tag: value for tag, value in detail.items() if value is not None}
    )
    if gps is not None:
        place = {1: "N", 2: gps.latitude, 3: "E", 4: gps.longitude}
        block.get_ifd(GPS_LINK).update(place)
    return block.tobytes()


@cache
def icc_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def jpeg(
    *,
    width: int = 640,
    height: int = 480,
    seed: int = 0,
    mode: str = "RGB",
    quality: int = 90,
    orientation: int | None = None,
    subsampling: str = "4:2:0",
    progressive: bool = False,
    restart_rows: int = 0,
    rgb_coded: bool = False,
    exif_block: bytes | None = None,
    icc: bytes | None = None,
) -> bytes:
    """`orientation` adds EXIF with capture time, unless `exif_block` is given as it is to be."""
    if exif_block is None and orientation is not None:
        exif_block = exif(orientation=orientation)
    options = {
        "quality": quality,
        "subsampling": None if rgb_coded else subsampling,
        "progressive": progressive,
        "restart_marker_rows": restart_rows,
        "keep_rgb": rgb_coded,
        "exif": exif_block,
        "icc_profile": icc,
    }
    return encoded(picture(width, height, seed=seed, mode=mode), "JPEG", options)


def jpeg_of_rare_sampling(subsampling: str, *, width: int = 640, height: int = 480) -> bytes:
    """`411` and `440`, which Pillow does not write."""
    pixels = np.asarray(picture(width, height))
    return bytes(simplejpeg.encode_jpeg(pixels, 90, "RGB", subsampling))


def ycck_jpeg(*, width: int = 640, height: int = 480) -> bytes:
    """CMYK coded as Adobe does it."""
    pixels = np.asarray(picture(width, height, mode="CMYK"))
    return bytes(simplejpeg.encode_jpeg(pixels, 90, "CMYK", "444"))


def jpegs_of_every_colour(*, width: int, height: int) -> dict[str, bytes]:
    """By what tells them apart: sampling, colour space, steps of quantization."""
    sized = partial(jpeg, width=width, height=height)
    return {
        "4:4:4": sized(subsampling="4:4:4"),
        "4:2:2": sized(subsampling="4:2:2"),
        "4:2:0": sized(subsampling="4:2:0"),
        "4:1:1": jpeg_of_rare_sampling("411", width=width, height=height),
        "4:4:0": jpeg_of_rare_sampling("440", width=width, height=height),
        "grey": sized(mode="L"),
        "cmyk": sized(mode="CMYK"),
        "ycck": ycck_jpeg(width=width, height=height),
        "rgb-coded": sized(rgb_coded=True),
        "excellent": sized(quality=100, subsampling="4:4:4"),
    }


def png(
    *,
    width: int = 640,
    height: int = 480,
    mode: str = "RGB",
    exif_block: bytes | None = None,
    icc: bytes | None = None,
) -> bytes:
    options = {"exif": exif_block, "icc_profile": icc}
    return encoded(picture(width, height, mode=mode), "PNG", options)


def deep_png(*, width: int = 640, height: int = 480) -> bytes:
    """Grey in 16 bits, all of them used."""
    return encoded(deep_picture(width, height), "PNG", {})


def deep_picture(width: int = 640, height: int = 480) -> Image.Image:
    grey = np.asarray(picture(width, height, mode="L")).astype(np.uint16)
    return Image.fromarray(grey * 257 + np.arange(width, dtype=np.uint16)[None, :] % 7)


def deep_colour_png(*, width: int = 32, height: int = 24) -> bytes:
    """RGB in 16 bits, which Pillow reads but does not write."""
    rows = np.random.default_rng(0).integers(0, 65_536, (height, width * 3)).astype(">u2")
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return png_of_chunks((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))


def gigapixel_png() -> bytes:
    """A header that promises 40,000 by 25,000 pixels, and hardly any data."""
    header = struct.pack(">IIBBBBB", 40_000, 25_000, 8, 2, 0, 0, 0)
    return png_of_chunks((b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b""))


def png_of_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    written = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        written += struct.pack(">I", len(body)) + name + body
        written += struct.pack(">I", zlib.crc32(name + body))
    return written


def webp(
    *,
    width: int = 640,
    height: int = 480,
    mode: str = "RGB",
    lossless: bool = False,
    exif_block: bytes | None = None,
    icc: bytes | None = None,
) -> bytes:
    options = {"lossless": lossless, "exif": exif_block, "icc_profile": icc}
    return encoded(picture(width, height, mode=mode), "WEBP", options)


def tiff(
    *,
    width: int = 640,
    height: int = 480,
    mode: str = "RGB",
    compression: str | None = None,
    exif_block: bytes | None = None,
    icc: bytes | None = None,
) -> bytes:
    options = {"compression": compression, "exif": exif_block, "icc_profile": icc}
    return encoded(picture(width, height, mode=mode), "TIFF", options)


def bmp(*, width: int = 640, height: int = 480, mode: str = "RGB") -> bytes:
    return encoded(picture(width, height, mode=mode), "BMP", {})


def gif(*, width: int = 640, height: int = 480, frames: int = 1) -> bytes:
    """The frames differ; the first one is that of `picture`."""
    pictures = [picture(width, height, seed=seed).quantize(64) for seed in range(frames)]
    return encoded(pictures[0], "GIF", {"save_all": True, "append_images": pictures[1:]})


def avif(
    *,
    width: int = 640,
    height: int = 480,
    exif_block: bytes | None = None,
    icc: bytes | None = None,
) -> bytes:
    options = {"quality": 80, "speed": 9, "exif": exif_block, "icc_profile": icc}
    return encoded(picture(width, height), "AVIF", options)


def heic() -> bytes:
    """Stored 64 by 48 and shown 48 by 64: turned by its container, and tagged 6 in its EXIF."""
    return base64.b64decode(_HEIC)


def encoded(image: Image.Image, format_name: str, options: Mapping[str, Any]) -> bytes:
    """The file of an image; options of None are left out."""
    file = BytesIO()
    given = {name: value for name, value in options.items() if value is not None}
    image.save(file, format=format_name, **given)
    return file.getvalue()


def cut_short(content: bytes, share: float) -> bytes:
    """The first part of a file."""
    return content[: int(len(content) * share)]


def overwritten(content: bytes, at: float, replacement: bytes) -> bytes:
    """The file with other bytes at a share of its length."""
    start = int(len(content) * at)
    return content[:start] + replacement + content[start + len(replacement) :]


_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAbRtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    "AAAAAAAAADRpbG9jAAAAAERAAAIAAQAAAAAB2AABAAAAAAAAATgAAgAAAAADEAABAAAAAAAAAGoAAAA4aWluZgAAAAAA"
    "AgAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA82lwcnAAAADT"
    "aXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAq"
    "QgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAAUaXNwZQAAAAAAAABA"
    "AAAAQAAAAChjbGFwAAAAQAAAAAEAAAAwAAAAAQAAAAAAAAAC////8AAAAAIAAAAQcGl4aQAAAAADCAgIAAAACWlyb3QD"
    "AAAAGGlwbWEAAAAAAAAAAQABBYECBIOFAAAAGmlyZWYAAAAAAAAADmNkc2MAAgABAAEAAAGqbWRhdAAAATQoAa8J4OOr"
    "CBBlyOb2fpYpF7Vc6KhH9gpAAHu54jO3yMZhYmjIVPLHhuZbW3KXdzN2osnBsa2c5W4SDXeIu3fC+Y8+MiYHxzAAGNm0"
    "inlmBIKYQtAP3mFtIFGGuK+HPaXmm93U8IitBloqAAZwnNXWGW0/XKafPWIHVV9rFx7IJwuHe9gcAroZJeF1l7fVAKUQ"
    "pN+aJHbhPgyAB3+xdfUY1SmDSZ22z5X4F6AzgtQgp5zaPTUNQ2LkxV4jKc10AEXvIKszBJCX+Nm2Dt7YywwkA/uFxZDJ"
    "9B7vLQElgq5aUzvvWta2vXucervYpCY1FsIUg+kuZAUzjRqzi13+mFyRMUfcKmq5dngD8E2SBHOHLav9QAwmBBIO9mvl"
    "nbniJk7sLRqsptQgHIMny5dCuSLEAAAd8AAAAAZFeGlmAABNTQAqAAAACAACARIAAwAAAAEABgAAh2kABAAAAAEAAAAm"
    "AAAAAAACkAMAAgAAABQAAABEkBEAAgAAAAcAAABYAAAAADIwMjY6MDM6MDEgMTA6MzU6MjEAKzAxOjAwAAA="
)
