"""Tables as CSV, row by row: memory does not grow with their number."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import StringIO
from itertools import chain, islice

CHUNK_ROWS = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What spreadsheets take for a formula's beginning, and the sign that keeps them from it."""

Cell = str | int | float


def csv_chunks(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """UTF-8 text of RFC 4180, some hundred rows at a time, the first with the columns' names."""
    written = chain((columns,), rows)
    while some := list(islice(written, CHUNK_ROWS)):
        text = StringIO(newline="")
        csv.writer(text).writerows(some)
        yield text.getvalue().encode()


def cell_of(value: object) -> Cell:
    """Exactly as it is, moments in UTC, None empty."""
    match value:
        case None:
            return ""
        case int() | float():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            return str(value)


def harmless(text: str) -> str:
    """With an apostrophe before what a spreadsheet would take for a formula and run."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
