"""A JPEG's quantized DCT coefficients, read by libjpeg-turbo through `jpeglib`.

`jpeglib` crashes the process on bytes that libjpeg refuses. So it is only ever handed a file that
`jpeg_pixels` has decoded and found sound, and of that only what decoding needs.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import numpy as np
from jpeglib import version
from jpeglib._bind import CJpegLib  # its public reader decodes three times, through global state
from numpy.typing import NDArray

from service.imaging.jpeg_file import DQT, SOS, Component, Frame, JpegFile

_LIBJPEG = "turbo210"
_CHOOSING = Lock()


def coefficients(file: JpegFile) -> list[NDArray[np.int16]]:
    """One array a component, (block rows, block columns, 64), each block row by row.

    Raises OSError where libjpeg cannot read them.
    """
    _choose_libjpeg()
    planes = [
        np.zeros((*_blocks(part, file.frame), 64), np.int16) for part in file.frame.components
    ]
    pointers = [plane.ctypes.data_as(ctypes.c_void_p) for plane in planes]
    pointers += [ctypes.c_void_p()] * (4 - len(planes))
    with TemporaryDirectory(prefix="metercrop-") as folder:
        path = Path(folder, "photo.jpg")
        path.write_bytes(file.bare)
        CJpegLib.read_jpeg_dct(str(path), *pointers, qt=None, quant_tbl_no=None)
    return planes


def has_steady_quantization(file: JpegFile) -> bool:
    """Whether each component's coefficients count the same in all scans."""
    markers = [segment.marker for segment in file.segments]
    return SOS in markers and DQT not in markers[markers.index(SOS) :]


def _blocks(component: Component, frame: Frame) -> tuple[int, int]:
    """(rows, columns) as libjpeg counts them, without those that only fill up the last units."""
    rows = -(-frame.height * component.down // (8 * frame.max_down))
    columns = -(-frame.width * component.across // (8 * frame.max_across))
    return rows, columns


def _choose_libjpeg() -> None:
    """Which of its libraries jpeglib uses is global to the process."""
    with _CHOOSING:
        if version.get() != _LIBJPEG:
            version.set(_LIBJPEG)
