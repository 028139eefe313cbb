"""A photo as its bytes hold it, known to be whole; its pixels are decoded only for who asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.core.geometry import Letterbox
from service.core.orientation import Orientation
from service.core.photo import Photo, PhotoFormat
from service.imaging.decode import decoded
from service.imaging.jpeg_file import jpeg_file, jpeg_header
from service.imaging.jpeg_native import JpegScan, scanned
from service.imaging.jpeg_thumbnail import Detail, LowBlocks, detail_for, low_blocks
from service.imaging.letterbox import in_square
from service.imaging.model_input import model_input
from service.imaging.upright import turned_upright


@dataclass(frozen=True, eq=False)
class RawFrame:
    """Not yet turned by `photo.orientation`."""

    photo: Photo
    scan: JpegScan | None = None
    """What one pass over the photo's codes left, where that was enough."""

    @cached_property
    def pixels(self) -> Image.Image:
        """As `decoded` returns them."""
        return decoded(self.photo)

    @property
    def size(self) -> tuple[int, int]:
        return self.photo.raw_width, self.photo.raw_height

    @property
    def icc_profile(self) -> bytes | None:
        if self.scan is not None:
            return jpeg_header(self.photo.content).icc_profile
        profile: bytes | None = self.pixels.info.get("icc_profile")
        return profile

    def model_input(self, *, side: int) -> tuple[NDArray[np.uint8], Letterbox]:
        """RGB pixels, (side, side, 3), and how the upright photo lies in them."""
        orientation = self.photo.orientation
        frame = Letterbox(*self.photo.size, side)
        inner = frame.inner
        small = self._small(*orientation.upright_size(inner.width, inner.height))
        if small is None:
            return model_input(self.pixels, orientation, side=side)
        if orientation is not Orientation.UPRIGHT:
            small = np.asarray(turned_upright(Image.fromarray(small), orientation))
        return in_square(small, frame), frame

    def rendition(self, *, long_side: int) -> Image.Image:
        """As small as is cheap to have, but no smaller than a picture of this size needs."""
        width, height = self.size
        factor = max(1.0, max(self.size) / long_side)
        return (
            self.small(max(1, round(width / factor)), max(1, round(height / factor))) or self.pixels
        )

    def small(self, width: int, height: int) -> Image.Image | None:
        """RGB for looking at, out of a JPEG's blocks; None where they are too few or too many.

        With the native code and without it is the same to the last bit.
        """
        pixels = self._small(width, height)
        return None if pixels is None else Image.fromarray(pixels)

    def _small(self, width: int, height: int) -> NDArray[np.uint8] | None:
        """As `small`, (height, width, 3)."""
        detail = detail_for(*self.size, side=max(width, height))
        if detail is None or self.photo.format is not PhotoFormat.JPEG:
            return None
        scan = self._scan_at(detail)
        if scan is not None:
            return scan.small(width, height)
        blocks = self._low_blocks
        return None if blocks is None else blocks.small(detail, width, height)

    def _scan_at(self, detail: Detail) -> JpegScan | None:
        if self.scan is None or self.scan.detail is detail:
            return self.scan
        return scanned(self.scan.content, detail)

    @cached_property
    def _low_blocks(self) -> LowBlocks | None:
        self.pixels  # noqa: B018  only who has been decoded can be read in this way
        return low_blocks(jpeg_file(self.photo.content))


def raw_frame(photo: Photo, *, side: int) -> RawFrame:
    """Raises `PhotoRejected` as `decoded` does; `side` is of the square that it is to fill."""
    frame = RawFrame(photo, _scan(photo, side))
    if frame.scan is None:
        frame.pixels  # noqa: B018  who cannot be decoded is refused now
    return frame


def _scan(photo: Photo, side: int) -> JpegScan | None:
    detail = detail_for(photo.raw_width, photo.raw_height, side=side)
    if photo.format is not PhotoFormat.JPEG or detail is None:
        return None
    return scanned(photo.content, detail)
