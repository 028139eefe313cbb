"""The formats other than JPEG, opened by exactly the decoder that they call for."""

from __future__ import annotations

from io import BytesIO

import pi_heif
from pi_heif import options
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from service.core.photo import PhotoFormat
from service.imaging.iso_boxes import without_descriptions

_PLUGINS: dict[PhotoFormat, type[ImageFile.ImageFile]] = {
    PhotoFormat.AVIF: AvifImagePlugin.AvifImageFile,
    PhotoFormat.BMP: BmpImagePlugin.BmpImageFile,
    PhotoFormat.GIF: GifImagePlugin.GifImageFile,
    PhotoFormat.PNG: PngImagePlugin.PngImageFile,
    PhotoFormat.TIFF: TiffImagePlugin.TiffImageFile,
    PhotoFormat.WEBP: WebPImagePlugin.WebPImageFile,
}


def opened(content: bytes, photo_format: PhotoFormat) -> ImageFile.ImageFile:
    """The header read, no pixel decoded. Raises whatever its decoder runs into."""
    Image.MAX_IMAGE_PIXELS = None  # `Limits` is asked first, a second limit would only contradict
    try:
        return _PLUGINS[photo_format](BytesIO(content))
    except (SyntaxError, ValueError):
        if photo_format is not PhotoFormat.AVIF or b"Exif" not in content:
            raise
        # Pillow refuses AVIF for unreadable EXIF, which is no reason to refuse a photo: hide it.
        return _PLUGINS[photo_format](BytesIO(content.replace(b"Exif", b"free")))


def opened_heic(content: bytes) -> pi_heif.HeifFile:
    """Size and pixels are those after the container's own turning. Raises as `opened` does.

    Nothing but the picture is asked for: on damaged links to metadata pi-heif crashes the process.
    """
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    return pi_heif.open_heif(without_descriptions(content), convert_hdr_to_8bit=True)
