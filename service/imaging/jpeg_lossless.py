"""A piece of a JPEG cut out of its own coefficients: nothing is decoded, so nothing is lost.

The cut follows the grid of the minimum coded units; what lies in them is written again with Huffman
tables of its own. Quantization tables, sampling and colour space stay the source's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.core.geometry import Box
from service.imaging.jpeg_coefficients import coefficients, has_steady_quantization
from service.imaging.jpeg_entropy import Scan, scan_of
from service.imaging.jpeg_file import (
    BASELINE,
    DHT,
    DQT,
    EXTENDED,
    PROGRESSIVE,
    SOS,
    Component,
    Frame,
    JpegFile,
    Segment,
    jpeg_file,
    jpeg_header,
)
from service.imaging.jpeg_native import JpegScan, scanned
from service.imaging.jpeg_thumbnail import Detail

_MAX_BLOCKS_IN_UNIT = 10
_JFIF_WITHOUT_THUMBNAIL = 12


@dataclass(frozen=True, slots=True)
class JpegCut:
    """A JPEG without metadata, and the box of the raw frame that it holds."""

    content: bytes
    box: Box
    proved: bool
    """Whether it is known that what was written is read as what the photo has there."""


def cropped(content: bytes, raw_box: Box, *, scan: JpegScan | None = None) -> JpegCut | None:
    """The smallest cut that shows all of `raw_box` as the whole photo does; None if there is none.

    `raw_box` lies in the raw frame, its edges go outward to the grid. `content` must be a JPEG that
    `jpeg_pixels` has decoded, or that `scan` is of.
    """
    scan = scan or scanned(content, Detail.EIGHTH)
    cut = None if scan is None else cut_of_scan(scan, raw_box)
    return cut or cut_of_coefficients(content, raw_box)


def cut_of_scan(scan: JpegScan, raw_box: Box) -> JpegCut | None:
    """In native code: the very bytes that `cut_of_coefficients` makes, or None."""
    file = jpeg_header(scan.content)
    grid = _grid_box(raw_box, file.frame)
    cut = scan.cut(grid, _table_numbers(file.frame))
    box = grid.clipped(scan.width, scan.height)
    return None if cut is None else JpegCut(_written(file, cut, box), box, proved=True)


def cut_of_coefficients(content: bytes, raw_box: Box) -> JpegCut | None:
    """By libjpeg: slower, and for every JPEG that it can read."""
    file = jpeg_file(content)
    if not _is_cuttable(file):
        return None
    frame = file.frame
    grid = _grid_box(raw_box, frame)
    try:
        planes = coefficients(file)
    except OSError:
        return None
    units = [
        _units(plane, component, grid, frame)
        for plane, component in zip(planes, frame.components, strict=True)
    ]
    scan = scan_of(units, _table_numbers(frame))
    box = grid.clipped(frame.width, frame.height)
    return None if scan is None else JpegCut(_written(file, scan, box), box, proved=False)


def seeing_box(content: bytes, raw_box: Box) -> Box:
    """`raw_box` with a unit more on each side, where the photo goes on.

    libjpeg interpolates colour across units ("fancy upsampling"), and at a cut it would miss the
    neighbours.
    """
    frame = jpeg_header(content).frame
    across, down = 8 * frame.max_across, 8 * frame.max_down
    return Box(
        raw_box.left - across, raw_box.top - down, raw_box.right + across, raw_box.bottom + down
    ).clipped(frame.width, frame.height)


def _is_cuttable(file: JpegFile) -> bool:
    """Huffman-coded, 8 bits, one unit in one scan, quantization tables that stay the same."""
    frame = file.frame
    blocks = sum(component.across * component.down for component in frame.components)
    return (
        frame.process in (BASELINE, EXTENDED, PROGRESSIVE)
        and frame.precision == 8
        and len(frame.components) in (1, 3, 4)
        and (len(frame.components) == 1 or blocks <= _MAX_BLOCKS_IN_UNIT)
        and has_steady_quantization(file)
    )


def _grid_box(box: Box, frame: Frame) -> Box:
    """Outward to whole units; right and bottom may lie beyond the photo."""
    across, down = _unit_size(frame)
    return Box(
        box.left // across * across,
        box.top // down * down,
        -(-box.right // across) * across,
        -(-box.bottom // down) * down,
    )


def _unit_size(frame: Frame) -> tuple[int, int]:
    """A single component's unit is one block, whatever its sampling factors say (A.2.2)."""
    if len(frame.components) == 1:
        return 8, 8
    return 8 * frame.max_across, 8 * frame.max_down


def _factors(component: Component, frame: Frame) -> tuple[int, int]:
    return (1, 1) if len(frame.components) == 1 else (component.across, component.down)


def _units(
    plane: NDArray[np.int16], component: Component, grid: Box, frame: Frame
) -> NDArray[np.int16]:
    """The component's blocks in the grid box, (units, blocks a unit, 64)."""
    unit_width, unit_height = _unit_size(frame)
    across, down = _factors(component, frame)
    columns, rows = grid.width // unit_width, grid.height // unit_height
    left, top = grid.left // unit_width * across, grid.top // unit_height * down
    cut = plane[top : top + rows * down, left : left + columns * across]
    cut = _filled_up(cut, rows * down, columns * across)
    by_unit = cut.reshape(rows, down, columns, across, 64).transpose(0, 2, 1, 3, 4)
    return by_unit.reshape(rows * columns, down * across, 64)


def _filled_up(cut: NDArray[np.int16], rows: int, columns: int) -> NDArray[np.int16]:
    """Units at the photo's edge need blocks that nobody sees: flat ones are the cheapest."""
    missing = (rows - cut.shape[0], columns - cut.shape[1])
    if missing == (0, 0):
        return cut
    filled = np.pad(cut, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    filled[cut.shape[0] :, :, 1:] = 0
    filled[:, cut.shape[1] :, 1:] = 0
    return filled


def _table_numbers(frame: Frame) -> tuple[int, ...]:
    """Baseline has two of each kind: one for what is quantized like the first component."""
    first = frame.components[0].table
    return tuple(int(component.table != first) for component in frame.components)


def _written(file: JpegFile, scan: Scan, box: Box) -> bytes:
    frame, numbers = file.frame, _table_numbers(file.frame)
    colour = [_colour_segment(part) for part in file.segments if part.is_jfif or part.is_adobe]
    quantization = [segment for segment in file.segments if segment.marker == DQT]
    tables = [
        Segment(DHT, bytes((kind << 4 | number,)) + definition)
        for number, pair in enumerate(scan.tables)
        for kind, definition in enumerate(pair)
    ]
    start = Segment(SOS, _scan_header(frame, numbers))
    segments = (*colour, *quantization, _frame_header(file, box), *tables, start)
    header = (segment.encoded for segment in segments)
    return b"".join((b"\xff\xd8", *header, scan.data, b"\xff\xd9"))


def _colour_segment(segment: Segment) -> Segment:
    """JFIF may carry a thumbnail of the whole photo: without it."""
    if not segment.is_jfif:
        return segment
    return Segment(segment.marker, segment.payload[:_JFIF_WITHOUT_THUMBNAIL] + bytes(2))


def _frame_header(file: JpegFile, box: Box) -> Segment:
    frame = file.frame
    payload = bytes((8,)) + box.height.to_bytes(2, "big") + box.width.to_bytes(2, "big")
    payload += bytes((len(frame.components),))
    for component in frame.components:
        across, down = _factors(component, frame)
        payload += bytes((component.id, across << 4 | down, component.table))
    return Segment(EXTENDED if _has_16_bit_tables(file) else BASELINE, payload)


def _scan_header(frame: Frame, numbers: tuple[int, ...]) -> bytes:
    parts = (
        bytes((component.id, number << 4 | number))
        for component, number in zip(frame.components, numbers, strict=True)
    )
    return bytes((len(frame.components),)) + b"".join(parts) + bytes((0, 63, 0))


def _has_16_bit_tables(file: JpegFile) -> bool:
    for segment in file.segments:
        at = 0
        while segment.marker == DQT and at < len(segment.payload):
            if segment.payload[at] >> 4:
                return True
            at += 65
    return False
