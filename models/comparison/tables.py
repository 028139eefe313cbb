"""Markdown tables and the cells in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.metrics import Spread

ABSENT = "-"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """The first columns are `words`, the others numbers, which stand to the right."""
    ruler = ["---"] * words + ["---:"] * (len(heads) - words)
    lines = (heads, ruler, *([escaped(cell) for cell in row] for row in rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(share: Spread) -> str:
    """As the papers print it: `82.98 ± 0.05`."""
    return measured(share, digits=2, times=100)


def measured(one: Spread, *, digits: int, times: float = 1) -> str:
    """`times` as much, with its SD where there is one."""
    numbers = [one.mean] if one.sd is None else [one.mean, one.sd]
    return " ± ".join(f"{times * number:.{digits}f}" for number in numbers)


def escaped(text: str) -> str:
    """So that it stays within its cell."""
    return text.replace("|", "\\|").replace("\n", " ")
