"""Quantized coefficients as one baseline scan (ITU-T T.81, annex F.1), band by band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.imaging.jpeg_huffman import HuffmanTable, huffman_table

_DIAGONALS = sorted(
    range(64), key=lambda at: (sum(divmod(at, 8)), at % 8 if sum(divmod(at, 8)) % 2 == 0 else at)
)
ZIGZAG = np.array(_DIAGONALS)
"""Where in a block, row by row, the coefficients of ascending frequency lie (figure A.6)."""
MAX_DC_BITS, MAX_AC_BITS = 11, 10
_BAND_BLOCKS = 4096
"""So many at a time keep the index arrays small, however large the cut."""
_END_OF_BLOCK, _SIXTEEN_ZEROS = 0x00, 0xF0
_IS_AC = 1


@dataclass(frozen=True, slots=True)
class Scan:
    """`tables` are by table number, the definitions of DC and AC; `data` is stuffed and padded."""

    tables: tuple[tuple[bytes, bytes], ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Tokens:
    """In the order in which they are written, (tokens,) each."""

    table: NDArray[np.uint8]
    """Twice the table's number, one more for AC."""
    symbol: NDArray[np.uint8]
    extra: NDArray[np.uint16]
    extra_bits: NDArray[np.uint8]


def scan_of(units: Sequence[NDArray[np.int16]], table_numbers: Sequence[int]) -> Scan | None:
    """One array a component, (units, blocks a unit, 64 row by row), with its table's number.

    None where a coefficient is larger than baseline JPEG can write.
    """
    blocks, tables = _in_writing_order(units, table_numbers)
    if not _is_writable(blocks):
        return None
    bands = [
        _tokens(blocks[at : at + _BAND_BLOCKS], tables[at : at + _BAND_BLOCKS])
        for at in range(0, len(blocks), _BAND_BLOCKS)
    ]
    huffman = [huffman_table(counts) for counts in _counts(bands, max(table_numbers) + 1)]
    definitions = [table.definition for table in huffman]
    pairs = tuple(zip(definitions[::2], definitions[1::2], strict=True))
    return Scan(pairs, b"".join(_written(bands, huffman)).replace(b"\xff", b"\xff\x00"))


def _in_writing_order(
    units: Sequence[NDArray[np.int16]], table_numbers: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Blocks (blocks, 64) in zigzag order, the first as difference to the last of its component."""
    parts = []
    for component in units:
        part = component[:, :, ZIGZAG].astype(np.int32)
        part[:, :, 0] = np.diff(part[:, :, 0].ravel(), prepend=0).reshape(part.shape[:2])
        parts.append(part)
    in_unit = np.repeat(table_numbers, [component.shape[1] for component in units])
    return (
        np.concatenate(parts, axis=1).reshape(-1, 64),
        np.tile(in_unit, len(units[0])).astype(np.uint8),
    )


def _is_writable(blocks: NDArray[np.int32]) -> bool:
    dc, ac = np.abs(blocks[:, 0]).max(), np.abs(blocks[:, 1:]).max()
    return bool(dc < 1 << MAX_DC_BITS and ac < 1 << MAX_AC_BITS)


def _tokens(blocks: NDArray[np.int32], tables: NDArray[np.uint8]) -> _Tokens:
    """Each coefficient with the zeros before it, zeros over fifteen and block ends on their own."""
    present = blocks != 0
    present[:, 0] = True
    block, at = np.nonzero(present)
    value = blocks[block, at]
    bits = _bit_lengths(value)
    run = np.where(at > 0, np.diff(at, prepend=0) - 1, 0)
    extra = np.where(value < 0, value + (1 << bits) - 1, value)
    symbol = (run % 16) << 4 | bits
    ends = np.flatnonzero(~present[:, 63])
    long_runs = np.repeat(np.arange(len(at)), run // 16)
    none = np.zeros(len(long_runs) + len(ends), np.int64)
    place = np.concatenate(
        (block * 128 + at * 2 + 1, block[long_runs] * 128 + at[long_runs] * 2, ends * 128 + 127)
    )
    order = np.argsort(place, kind="stable")
    table = np.concatenate(
        (
            tables[block] * 2 + (at > 0),
            tables[block[long_runs]] * 2 + _IS_AC,
            tables[ends] * 2 + _IS_AC,
        )
    )
    zeros = np.full(len(long_runs), _SIXTEEN_ZEROS)
    symbols = np.concatenate((symbol, zeros, np.full(len(ends), _END_OF_BLOCK)))
    return _Tokens(
        table[order].astype(np.uint8),
        symbols[order].astype(np.uint8),
        np.concatenate((extra, none))[order].astype(np.uint16),
        np.concatenate((bits, none))[order].astype(np.uint8),
    )


def _bit_lengths(value: NDArray[np.int32]) -> NDArray[np.int32]:
    """How many bits each magnitude takes, 0 for 0."""
    return np.frexp(np.abs(value).astype(np.float64))[1]


def _counts(bands: Sequence[_Tokens], tables: int) -> Iterator[NDArray[np.int64]]:
    """How often each symbol occurs, (256,), for DC and AC of each table."""
    total = np.zeros(tables * 2 * 256, np.int64)
    for band in bands:
        total += np.bincount(band.table.astype(np.int64) * 256 + band.symbol, minlength=len(total))
    return iter(total.reshape(-1, 256))


def _written(bands: Sequence[_Tokens], huffman: Sequence[HuffmanTable]) -> Iterator[bytes]:
    """The bits of each band as whole bytes, the rest going before the next; ones end the last."""
    codes = np.stack([table.codes for table in huffman])
    lengths = np.stack([table.lengths for table in huffman])
    left_over = np.zeros(0, np.uint8)
    for band in bands:
        value = codes[band.table, band.symbol] << band.extra_bits | band.extra
        bits = _bits(value, lengths[band.table, band.symbol] + band.extra_bits)
        bits = np.concatenate((left_over, bits))
        whole = len(bits) // 8 * 8
        left_over = bits[whole:]
        yield np.packbits(bits[:whole]).tobytes()
    if len(left_over):
        yield np.packbits(
            np.concatenate((left_over, np.ones(8 - len(left_over), np.uint8)))
        ).tobytes()


def _bits(value: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Each value's `length` lowest bits, highest first, one after another."""
    end = np.repeat(np.cumsum(length), length)
    shift = end - 1 - np.arange(len(end))
    return (np.repeat(value, length) >> shift & 1).astype(np.uint8)
