"""The eight EXIF orientations: the one place that knows how a raw frame is turned upright."""

from __future__ import annotations

from enum import IntEnum

from service.core.geometry import Box


class Orientation(IntEnum):
    """How the stored pixels must be turned to stand upright (EXIF 2.32, tag 0x0112)."""

    UPRIGHT = 1
    MIRRORED = 2
    TURNED_180 = 3
    FLIPPED = 4
    TRANSPOSED = 5
    TURNED_90_CLOCKWISE = 6
    TRANSVERSED = 7
    TURNED_90_COUNTERCLOCKWISE = 8

    @classmethod
    def from_exif(cls, value: object) -> Orientation:
        """Upright for anything outside 1 to 8: real phones write 0."""
        if isinstance(value, int) and 1 <= value <= 8:
            return cls(value)
        return cls.UPRIGHT

    @property
    def swaps_sides(self) -> bool:
        return self >= Orientation.TRANSPOSED

    def upright_size(self, raw_width: int, raw_height: int) -> tuple[int, int]:
        """(width, height) of the photo once it stands upright."""
        return (raw_height, raw_width) if self.swaps_sides else (raw_width, raw_height)

    def to_raw(self, box: Box, *, raw_width: int, raw_height: int) -> Box:
        """Where a box of the upright photo lies in the stored pixels."""
        if self.swaps_sides:
            box = Box(box.top, box.left, box.bottom, box.right)
        return self._mirrored(box, raw_width, raw_height)

    def to_upright(self, box: Box, *, raw_width: int, raw_height: int) -> Box:
        """Where a box of the stored pixels lies in the upright photo."""
        box = self._mirrored(box, raw_width, raw_height)
        if self.swaps_sides:
            return Box(box.top, box.left, box.bottom, box.right)
        return box

    def _mirrored(self, box: Box, width: int, height: int) -> Box:
        """The mirroring that the orientation asks for along each raw axis; its own inverse."""
        across = self in (2, 3, 7, 8)
        down = self in (3, 4, 6, 7)
        left, right = (width - box.right, width - box.left) if across else (box.left, box.right)
        top, bottom = (height - box.bottom, height - box.top) if down else (box.top, box.bottom)
        return Box(left, top, right, bottom)
