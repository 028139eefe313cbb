"""Bytes to pixels, whole or not at all."""

from __future__ import annotations

from PIL import Image

from service.core.errors import PhotoRejected
from service.core.photo import Photo, PhotoFormat
from service.imaging.jpeg_pixels import jpeg_pixels
from service.imaging.pillow_formats import opened, opened_heic
from service.imaging.png_chunks import require_sound_png
from service.imaging.refusal import corrupt, unreadable


def decoded(photo: Photo) -> Image.Image:
    """The raw frame, not yet turned by `photo.orientation`; the first one where there are several.

    The mode is the decoder's. Raises `PhotoRejected` `photo.truncated` or `photo.corrupt`.
    """
    try:
        image = _decoded(photo)
    except PhotoRejected:
        raise
    except Exception as error:  # broken bytes lead decoders to raise anything
        raise unreadable(photo.format, error) from error
    if image.size != (photo.raw_width, photo.raw_height):
        raise corrupt(photo.format, f"its header promises another size than {image.size}")
    return image


def _decoded(photo: Photo) -> Image.Image:
    match photo.format:
        case PhotoFormat.JPEG:
            return jpeg_pixels(photo.content)
        case PhotoFormat.HEIC:
            image: Image.Image = opened_heic(photo.content).to_pillow()
            return image
        case PhotoFormat.PNG:
            require_sound_png(photo.content)
        case _:
            pass
    image = opened(photo.content, photo.format)
    image.load()
    return image
