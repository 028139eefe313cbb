"""Numbers as people read them."""

from __future__ import annotations


def size(count: int) -> str:
    """Bytes in powers of 1000, three digits: `96.1 kB`."""
    amount, units = float(count), iter(("B", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while abs(amount) >= 999.5 and unit != "PB":
        amount, unit = amount / 1000, next(units)
    digits = 0 if unit == "B" or abs(amount) >= 99.95 else 1
    return f"{amount:,.{digits}f} {unit}"


def share(fraction: float) -> str:
    return f"{fraction:.1%}"


def printable(text: str) -> str:
    """Text from outside, its control characters and broken Unicode escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
