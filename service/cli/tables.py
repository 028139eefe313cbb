"""Tables of names and figures."""

from __future__ import annotations

from rich.table import Table


def pairs() -> Table:
    """A name and its figure a line."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    return table
