"""Huffman tables made to measure (ITU-T T.81, annex K.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_LENGTH = 16
_RESERVED = 256
"""A symbol that never occurs takes the code of all ones, which JPEG forbids."""


@dataclass(frozen=True, slots=True)
class HuffmanTable:
    """`codes` and `lengths` by symbol, (256,); a length of 0 means that it has no code."""

    codes: NDArray[np.int64]
    lengths: NDArray[np.int64]
    definition: bytes
    """As a DHT segment writes it: how many codes of each length 1 to 16, then their symbols."""


def huffman_table(counts: NDArray[np.int64]) -> HuffmanTable:
    """The shortest code of at most 16 bits for symbols that occur so often; `counts` is (256,)."""
    occurring = {int(symbol): int(counts[symbol]) for symbol in np.flatnonzero(counts)}
    lengths = _code_lengths(occurring | {_RESERVED: 0})
    per_length = _limited(np.bincount(list(lengths.values()), minlength=_MAX_LENGTH + 1))
    per_length[np.flatnonzero(per_length)[-1]] -= 1  # the reserved one is the last of the longest
    symbols = sorted(occurring, key=lambda symbol: (lengths[symbol], symbol))
    definition = bytes(per_length[1 : _MAX_LENGTH + 1].tolist()) + bytes(symbols)
    return _table(per_length, symbols, definition)


def _code_lengths(counts: dict[int, int]) -> dict[int, int]:
    """Joins the two rarest groups until one is left; joining makes their symbols a bit longer."""
    lengths = dict.fromkeys(counts, 0)
    groups = [(count, -symbol, [symbol]) for symbol, count in counts.items()]
    while len(groups) > 1:
        groups.sort(reverse=True)
        rarest, next_rarest = groups.pop(), groups.pop()
        joined = rarest[2] + next_rarest[2]
        for symbol in joined:
            lengths[symbol] += 1
        groups.append((rarest[0] + next_rarest[0], min(rarest[1], next_rarest[1]), joined))
    return lengths


def _limited(per_length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes over 16 bits are shortened in pairs, a shorter one making room (figure K.3)."""
    limited = per_length.copy()
    for length in range(len(limited) - 1, _MAX_LENGTH, -1):
        while limited[length]:
            shorter = int(np.flatnonzero(limited[: length - 1])[-1])
            limited[length] -= 2
            limited[length - 1] += 1
            limited[shorter + 1] += 2
            limited[shorter] -= 1
    return limited[: _MAX_LENGTH + 1]


def _table(per_length: NDArray[np.int64], symbols: list[int], definition: bytes) -> HuffmanTable:
    codes, lengths = np.zeros(256, np.int64), np.zeros(256, np.int64)
    code, remaining = 0, iter(symbols)
    for length in range(1, _MAX_LENGTH + 1):
        for _ in range(int(per_length[length])):
            symbol = next(remaining)
            codes[symbol], lengths[symbol] = code, length
            code += 1
        code <<= 1
    return HuffmanTable(codes, lengths, definition)
