"""JPEGs without decoding them: one pass over their Huffman codes, in `native/`.

The pass finds where each unit lies and the lowest coefficients of each block. From these come a
small picture for the model and an exact cut, at a tenth of what decoding costs. A progressive JPEG,
whose blocks lie in several scans, is first written as a sequential one of the same coefficients.

Whatever it refuses, for whatever reason, is the library's to read and to judge; what it accepts is
sound to its last bit. Where the package was installed without a Rust compiler, it refuses
everything.
"""

from __future__ import annotations

from ctypes import CDLL, c_size_t, c_uint32, c_void_p
from dataclasses import dataclass
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.core.geometry import Box
from service.imaging.jpeg_entropy import Scan
from service.imaging.jpeg_thumbnail import Detail

_COUNTS = 16
"""A table's definition begins with how many codes there are of each length."""
_HEADER_NUMBERS = 6
_SEQUENTIAL_GROWTH, _EMPTY_BLOCKS = 3, 1 << 20
"""Room for a progressive JPEG as a sequential one, which seldom takes a tenth more; but hardly any
bytes may say that thousands of blocks are empty. Room that is not written to costs nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class JpegScan:
    """A JPEG that was found sound, and what one pass over it left."""

    content: bytes
    """The photo's, or what they are as a sequential JPEG, without metadata."""
    width: int
    height: int
    unit_width: int
    unit_height: int
    detail: Detail
    starts: NDArray[np.uint32]  # (units,): at which bit of the file each begins
    values: NDArray[np.int16]  # (values a block, blocks)

    def small(self, width: int, height: int) -> NDArray[np.uint8]:
        """The raw frame as RGB pixels, (height, width, 3), for looking at."""
        rgb = np.empty((height, width, 3), np.uint8)
        refused = _library().metercrop_jpeg_shrink(
            *_bytes(self.content),
            c_uint32(self.detail),
            *_array(self.values),
            c_size_t(width),
            *_array(rgb),
        )
        if refused:
            raise RuntimeError(f"the native JPEG code answered {refused} to a scan of its own")
        return rgb

    def cut(self, box: Box, table_numbers: tuple[int, ...]) -> Scan | None:
        """The units in a box of the raw frame, whose edges lie on their grid or beyond the photo.

        None where the library is to do it: a coefficient may be larger than baseline JPEG can
        write.
        """
        written = np.empty(2 * len(self.content) + 4096, np.uint8)
        lengths = np.zeros(2, np.uintp)
        refused = _library().metercrop_jpeg_cut(
            *_bytes(self.content),
            *_array(self.starts),
            *_array(self.values),
            *_array(self._window(box)),
            *_array(np.array(table_numbers, np.uint8)),
            *_array(written),
            *_array(lengths),
        )
        if refused:
            return None
        tables, data = (int(length) for length in lengths)
        definitions = _definitions(written[:tables].tobytes())
        pairs = tuple(zip(definitions[::2], definitions[1::2], strict=True))
        return Scan(pairs, written[tables : tables + data].tobytes())

    def _window(self, box: Box) -> NDArray[np.uintp]:
        """In units."""
        left, top = box.left // self.unit_width, box.top // self.unit_height
        right, bottom = -(-box.right // self.unit_width), -(-box.bottom // self.unit_height)
        return np.array([left, top, right, bottom], np.uintp)


def is_available() -> bool:
    return _library_or_none() is not None


def scanned(content: bytes, detail: Detail) -> JpegScan | None:
    """None for what the library is to read, or to refuse."""
    library = _library_or_none()
    if library is None:
        return None
    scan = _scanned(library, content, detail)
    if scan is not None:
        return scan
    sequential = _sequential(library, content)
    return None if sequential is None else _scanned(library, sequential, detail)


def _scanned(library: CDLL, content: bytes, detail: Detail) -> JpegScan | None:
    """None for a progressive one too."""
    found = np.zeros(_HEADER_NUMBERS, np.uint32)
    if library.metercrop_jpeg_header(*_bytes(content), *_array(found)):
        return None
    width, height, unit_width, unit_height, units, blocks = (int(number) for number in found)
    starts = np.empty(units, np.uint32)
    values = np.empty((detail.values, blocks), np.int16)
    if library.metercrop_jpeg_scan(
        *_bytes(content), c_uint32(detail), *_array(starts), *_array(values)
    ):
        return None
    return JpegScan(content, width, height, unit_width, unit_height, detail, starts, values)


def _sequential(library: CDLL, content: bytes) -> bytes | None:
    """A progressive JPEG with its coefficients in one scan; None for any other."""
    written = np.empty(_SEQUENTIAL_GROWTH * len(content) + _EMPTY_BLOCKS, np.uint8)
    length = np.zeros(1, np.uintp)
    refused = library.metercrop_jpeg_sequential(*_bytes(content), *_array(written), *_array(length))
    return None if refused else written[: int(length[0])].tobytes()


def _bytes(content: bytes) -> tuple[bytes, c_size_t]:
    """As C takes them: where they begin, and how many they are."""
    return content, c_size_t(len(content))


def _array(array: NDArray[np.generic]) -> tuple[c_void_p, c_size_t]:
    """As C takes it: where it begins, and how many elements it has.

    The pointer keeps the array alive until the call is over.
    """
    return array.ctypes.data_as(c_void_p), c_size_t(array.size)


def _definitions(tables: bytes) -> list[bytes]:
    found = []
    while tables:
        length = _COUNTS + sum(tables[:_COUNTS])
        found.append(tables[:length])
        tables = tables[length:]
    return found


def _library() -> CDLL:
    library = _library_or_none()
    if library is None:
        raise RuntimeError("the native JPEG code is gone")
    return library


@cache
def _library_or_none() -> CDLL | None:
    """Its calls let other threads run."""
    places = (Path(__file__).with_name(f"_jpeg_native{suffix}") for suffix in EXTENSION_SUFFIXES)
    path = next((place for place in places if place.exists()), None)
    if path is None:
        return None
    try:
        return CDLL(str(path))
    except OSError:  # built for another machine
        return None
