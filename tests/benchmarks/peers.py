"""What others do with a photo: decode it, make it small for the model, crop it, encode the crop."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO

import numpy as np
import simplejpeg
from PIL import Image

from service.core.geometry import Box

SIDE = 256
QUALITY = 90

Peer = Callable[[bytes, Box], bytes]


def by_pillow(content: bytes, box: Box) -> bytes:
    """As it is mostly written: no `reducing_gap`."""
    with Image.open(BytesIO(content)) as image:
        image.convert("RGB").resize(_small(image), Image.Resampling.BILINEAR)
        return _cropped(image, box)


def by_pillow_reducing(content: bytes, box: Box) -> bytes:
    """By Pillow's own short cut to a small picture, which few know."""
    with Image.open(BytesIO(content)) as image:
        image.resize(_small(image), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return _cropped(image, box)


def by_pillow_in_draft(content: bytes, box: Box) -> bytes:
    """The thumbnail from a decode at an eighth, the crop from a whole one."""
    with Image.open(BytesIO(content)) as image:
        image.draft("RGB", (SIDE, SIDE))
        image.resize(_small(image), Image.Resampling.BILINEAR)
    with Image.open(BytesIO(content)) as image:
        return _cropped(image, box)


def by_simplejpeg(content: bytes, box: Box) -> bytes:
    small = simplejpeg.decode_jpeg(content, "RGB", min_height=SIDE, min_width=SIDE)
    Image.fromarray(small).resize((SIDE, SIDE * 3 // 4), Image.Resampling.BILINEAR)
    pixels = simplejpeg.decode_jpeg(content, "RGB")
    cut = np.ascontiguousarray(pixels[box.top : box.bottom, box.left : box.right])
    return bytes(simplejpeg.encode_jpeg(cut, QUALITY, "RGB", "420"))


def by_opencv(content: bytes, box: Box) -> bytes:
    cv2 = import_module("cv2")
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    height = round(SIDE * pixels.shape[0] / pixels.shape[1])
    cv2.resize(pixels, (SIDE, height), interpolation=cv2.INTER_AREA)
    cut = pixels[box.top : box.bottom, box.left : box.right]
    return bytes(cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1])


def by_vips(content: bytes, box: Box) -> bytes:
    """It shrinks while it loads, and decodes no more rows than the crop needs."""
    pyvips = import_module("pyvips")
    pyvips.Image.thumbnail_buffer(content, SIDE).write_to_memory()
    image = pyvips.Image.new_from_buffer(content, "", access="sequential")
    cut = image.crop(box.left, box.top, box.width, box.height)
    return bytes(cut.jpegsave_buffer(Q=QUALITY))


PLAIN, REDUCING = "Pillow: decode, resize, crop, encode", "Pillow with reducing_gap"


def peers() -> dict[str, Peer]:
    """Those that are installed, by what they are called in tables."""
    found: dict[str, Peer] = {
        PLAIN: by_pillow,
        REDUCING: by_pillow_reducing,
        "Pillow in draft mode": by_pillow_in_draft,
        "simplejpeg": by_simplejpeg,
    }
    optional: dict[str, Peer] = {"cv2": by_opencv, "pyvips": by_vips}
    return found | {name: peer for name, peer in optional.items() if find_spec(name)}


def _small(image: Image.Image) -> tuple[int, int]:
    return SIDE, round(SIDE * image.height / image.width)


def _cropped(image: Image.Image, box: Box) -> bytes:
    encoded = BytesIO()
    cut = image.crop((box.left, box.top, box.right, box.bottom))
    cut.save(encoded, "JPEG", quality=QUALITY)
    return encoded.getvalue()
