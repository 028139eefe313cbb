"""A job's items as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.api import csv_text
from service.api.csv_text import Cell, cell_of
from service.api.job_schemas import ItemAnswer
from service.core.job import Item

COLUMNS = tuple(ItemAnswer.model_fields)


def csv_chunks(items: Iterable[Item]) -> Iterator[bytes]:
    """As `csv_text.csv_chunks` writes them.

    Keys are written exactly as they are, whatever they begin with: a report is proof, and a key
    with an apostrophe put before it would name another object. Quotes, which change nothing of a
    value, keep no spreadsheet from taking `=...` for a formula; so it is to be imported as text.
    """
    return csv_text.csv_chunks(COLUMNS, (_row(item) for item in items))


def _row(item: Item) -> tuple[Cell, ...]:
    return tuple(cell_of(value) for _, value in ItemAnswer.of(item))
