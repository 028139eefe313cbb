"""Progressive JPEGs of any script of scans (ITU-T T.81, annex G); encoders know one or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from service.imaging.jpeg_coefficients import coefficients
from service.imaging.jpeg_entropy import ZIGZAG
from service.imaging.jpeg_file import DHT, DRI, PROGRESSIVE, SOS, JpegFile, Segment, jpeg_file
from service.imaging.jpeg_huffman import HuffmanTable, huffman_table

_MOST_ENDS = 0x7FFF
_TABLES_OF_CODES = frozenset((DHT, SOS, DRI, 0xC0, 0xC1, 0xC2))


@dataclass(frozen=True, slots=True)
class Band:
    """A scan of coefficients `first` to `last`, and of which of their bits (annex G.1.1.1)."""

    components: tuple[int, ...]
    first: int
    last: int
    high: int
    low: int


Token = tuple[int | None, int, int]
"""A Huffman symbol, if any, and behind it so many bits (the last) of a number."""


@dataclass(slots=True)
class _Ends:
    """Blocks that end, not written yet, with the correction bits that go behind them."""

    blocks: int = 0
    bits: list[int] = field(default_factory=list)

    def written(self) -> Iterator[Token]:
        if self.blocks:
            size = self.blocks.bit_length() - 1
            yield size << 4, self.blocks - (1 << size), size
            yield from _bits(self.bits)
        self.blocks, self.bits = 0, []


def spectral(components: int) -> list[Band]:
    """Bands alone, as some cameras write them."""
    every = tuple(range(components))
    return [
        Band(every, 0, 0, 0, 0),
        *(Band((one,), 1, 5, 0, 0) for one in every),
        *(Band((one,), 6, 63, 0, 0) for one in reversed(every)),
    ]


def successive(components: int) -> list[Band]:
    """Bits alone, each component for itself."""
    return [
        Band((one,), first, last, 0 if low == 3 else low + 1, low)
        for one in range(components)
        for low in (3, 2, 1, 0)
        for first, last in ((0, 0), (1, 63))
    ]


def mixed(components: int) -> list[Band]:
    """Bands of different depths in no order, refined in other ones; DC in pairs of components."""
    every = range(components)
    pairs = [tuple(every)[at : at + 2] for at in range(0, components, 2)]
    return [
        *(Band(pair, 0, 0, 0, 1) for pair in pairs),
        *(Band((one,), 20, 63, 0, 2) for one in every),
        *(Band((one,), 1, 1, 0, 0) for one in every),
        *(Band((one,), 2, 19, 0, 1) for one in every),
        *(Band((one,), 20, 40, 2, 1) for one in every),
        *(Band(pair, 0, 0, 1, 0) for pair in pairs),
        *(Band((one,), 41, 63, 2, 1) for one in every),
        *(Band((one,), 2, 63, 1, 0) for one in every),
    ]


SCRIPTS = {"spectral": spectral, "successive": successive, "mixed": mixed}


def progressive_jpeg(content: bytes, script: Sequence[Band], *, restart_interval: int = 0) -> bytes:
    """A JPEG's coefficients and metadata, in the scans of `script`."""
    file = jpeg_file(content)
    planes = [_zigzag(plane) for plane in coefficients(file)]
    header = [part for part in file.segments if part.marker not in _TABLES_OF_CODES]
    frame = next(part for part in file.segments if part.marker == file.frame.process)
    header.append(Segment(PROGRESSIVE, frame.payload))
    if restart_interval:
        header.append(Segment(DRI, restart_interval.to_bytes(2, "big")))
    scans = (part for band in script for part in _scan(file, planes, band, restart_interval))
    return b"".join((b"\xff\xd8", *(part.encoded for part in (*header, *scans)), b"\xff\xd9"))


def _zigzag(plane: np.ndarray) -> np.ndarray:
    return plane[:, :, ZIGZAG].astype(int)


def _scan(
    file: JpegFile, planes: list[np.ndarray], band: Band, restart_interval: int
) -> Iterator[Segment]:
    units = _units(file, planes, band)
    step = restart_interval or len(units)
    intervals = [list(_tokens(units[at : at + step], band)) for at in range(0, len(units), step)]
    counts = np.zeros(256, np.int64)
    for symbol in (token[0] for tokens in intervals for token in tokens):
        if symbol is not None:
            counts[symbol] += 1
    table = huffman_table(counts) if counts.any() else None
    if table is not None:
        yield Segment(DHT, bytes((0x10 if band.first else 0,)) + table.definition)
    parts = b"".join(bytes((file.frame.components[one].id, 0)) for one in band.components)
    payload = bytes((len(band.components),)) + parts
    payload += bytes((band.first, band.last, band.high << 4 | band.low))
    data = [_data(tokens, table) for tokens in intervals]
    marked = [bytes((0xFF, 0xD0 + at % 8)) + part for at, part in enumerate(data[1:])]
    yield Segment(SOS, payload, b"".join((data[0], *marked)))


def _units(
    file: JpegFile, planes: list[np.ndarray], band: Band
) -> list[list[tuple[int, np.ndarray]]]:
    """Of each unit its blocks with their components; a component alone has one block a unit."""
    if len(band.components) == 1:
        plane = planes[band.components[0]]
        return [[(0, block)] for block in plane.reshape(-1, 64)]
    frame = file.frame
    across, down = (
        -(-frame.width // (8 * frame.max_across)),
        -(-frame.height // (8 * frame.max_down)),
    )
    units = []
    for at in range(across * down):
        unit = []
        for one in band.components:
            part, plane = frame.components[one], planes[one]
            for row in range(at // across * part.down, (at // across + 1) * part.down):
                for column in range(at % across * part.across, (at % across + 1) * part.across):
                    seen = min(row, plane.shape[0] - 1), min(column, plane.shape[1] - 1)
                    unit.append((one, plane[seen]))
        units.append(unit)
    return units


def _tokens(units: list[list[tuple[int, np.ndarray]]], band: Band) -> Iterator[Token]:
    blocks = [pair for unit in units for pair in unit]
    if band.first:
        each = _next_bits if band.high else _first_bits
        ends = _Ends()
        for _, block in blocks:
            yield from each(block, band, ends)
        yield from ends.written()
    elif band.high:
        yield from _bits([int(block[0]) >> band.low & 1 for _, block in blocks])
    else:
        last: dict[int, int] = {}
        for component, block in blocks:
            dc = int(block[0]) >> band.low
            difference = dc - last.get(component, 0)
            last[component] = dc
            size = abs(difference).bit_length()
            yield size, _extra(difference, size), size


def _first_bits(block: np.ndarray, band: Band, ends: _Ends) -> Iterator[Token]:
    zeros = 0
    for at in range(band.first, band.last + 1):
        value = int(np.sign(block[at])) * (abs(int(block[at])) >> band.low)
        if not value:
            zeros += 1
            continue
        yield from ends.written()
        for _ in range(zeros // 16):
            yield 0xF0, 0, 0
        size = abs(value).bit_length()
        yield zeros % 16 << 4 | size, _extra(value, size), size
        zeros = 0
    if zeros:
        ends.blocks += 1
        if ends.blocks == _MOST_ENDS:
            yield from ends.written()


def _next_bits(block: np.ndarray, band: Band, ends: _Ends) -> Iterator[Token]:
    """As figures G.7 to G.9 have it."""
    sizes = [abs(int(block[at])) >> band.low for at in range(band.first, band.last + 1)]
    last_new = max((at for at, size in enumerate(sizes) if size == 1), default=-1)
    zeros, corrections = 0, list[int]()
    for at, size in enumerate(sizes):
        if size == 0:
            zeros += 1
            continue
        while zeros > 15 and at <= last_new:
            yield from ends.written()
            yield 0xF0, 0, 0
            yield from _bits(corrections)
            zeros, corrections = zeros - 16, []
        if size > 1:
            corrections.append(size & 1)
            continue
        yield from ends.written()
        yield zeros << 4 | 1, int(block[band.first + at] > 0), 1
        yield from _bits(corrections)
        zeros, corrections = 0, []
    if zeros or corrections:
        ends.blocks += 1
        ends.bits += corrections
        if ends.blocks == _MOST_ENDS or len(ends.bits) > 900:
            yield from ends.written()


def _bits(bits: Sequence[int]) -> Iterator[Token]:
    return ((None, bit, 1) for bit in bits)


def _extra(value: int, size: int) -> int:
    return value if value >= 0 else value + (1 << size) - 1


def _data(tokens: list[Token], table: HuffmanTable | None) -> bytes:
    """Padded with ones, and stuffed."""
    parts = []
    for symbol, extra, size in tokens:
        if symbol is not None and table is not None:
            parts.append(format(int(table.codes[symbol]), f"0{int(table.lengths[symbol])}b"))
        if size:
            parts.append(format(extra, f"0{size}b"))
    bits = "".join(parts)
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return data.replace(b"\xff", b"\xff\x00")
