"""A job's items as CSV, row by row: memory does not grow with their number."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import StringIO
from itertools import chain, islice

from service.api.job_schemas import ItemAnswer
from service.core.job import Item

COLUMNS = tuple(ItemAnswer.model_fields)
CHUNK_ROWS = 500


def csv_chunks(items: Iterable[Item]) -> Iterator[bytes]:
    """UTF-8 text of RFC 4180, some hundred rows at a time, the first with the columns' names.

    Keys are written exactly as they are, whatever they begin with: a report is proof, and a key
    with an apostrophe put before it would name another object. Quotes, which change nothing of a
    value, keep no spreadsheet from taking `=...` for a formula; so it is to be imported as text.
    """
    rows = chain((COLUMNS,), (_row(item) for item in items))
    while some := list(islice(rows, CHUNK_ROWS)):
        text = StringIO(newline="")
        csv.writer(text).writerows(some)
        yield text.getvalue().encode()


def _row(item: Item) -> tuple[str | int, ...]:
    return tuple(_cell(value) for _, value in ItemAnswer.of(item))


def _cell(value: object) -> str | int:
    match value:
        case None:
            return ""
        case int():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            return str(value)
