"""What the native JPEG code read, beside what libjpeg reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from service.imaging.jpeg_coefficients import coefficients
from service.imaging.jpeg_file import jpeg_file
from service.imaging.jpeg_native import JpegScan
from service.imaging.jpeg_thumbnail import low_blocks

LOW = (0, 1, 8, 9)
"""Where in a block, row by row, the values of a scan lie."""


def planes(scan: JpegScan) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each component the values of the scan and those of libjpeg, (values, rows, columns).

    Without the blocks that only fill up the last units, which libjpeg does not hand out.
    """
    file, start = jpeg_file(scan.content), 0
    across, down = -(-scan.width // scan.unit_width), -(-scan.height // scan.unit_height)
    single = len(file.frame.components) == 1
    for part, plane in zip(file.frame.components, coefficients(file), strict=True):
        columns = across * (1 if single else part.across)
        rows = down * (1 if single else part.down)
        read = scan.values[:, start : start + rows * columns].reshape(-1, rows, columns)
        start += rows * columns
        seen = plane[:, :, LOW[: scan.detail.values]].transpose(2, 0, 1)
        yield read[:, : plane.shape[0], : plane.shape[1]], seen


def reads_as_libjpeg(scan: JpegScan) -> bool:
    return all(np.array_equal(read, expected) for read, expected in planes(scan))


def has_coefficients_of(scan: JpegScan, content: bytes) -> bool:
    """What was scanned may have been written anew, as a sequential JPEG."""
    if scan.content is content:
        return True
    read, expected = (coefficients(jpeg_file(one)) for one in (scan.content, content))
    return all(map(np.array_equal, read, expected))


def looks_as_by_library(scan: JpegScan, content: bytes) -> bool:
    """Whether the library's way shows the same of `content`."""
    blocks = low_blocks(jpeg_file(content))
    return blocks is not None and all(
        np.array_equal(scan.small(*size), blocks.small(scan.detail, *size))
        for size in ((24, 17), (1, 40))
    )
