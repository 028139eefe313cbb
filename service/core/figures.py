"""Numbers, and text from outside, as people read them."""

from __future__ import annotations

from decimal import Decimal


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


def money(amount: float) -> str:
    """Two decimals; of less than one the first two digits, as cents hide what little there is."""
    return f"{amount:,.2f}" if abs(amount) >= 1 else f"{Decimal(f'{amount:.2g}'):f}"


def duration(seconds: float) -> str:
    """The two largest units: `3 h 12 min`."""
    left = round(seconds)
    parts: list[str] = []
    for unit, unit_s in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, unit_s)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:2])) or "0 s"


def printable(text: str) -> str:
    """Text from outside, its control characters and broken Unicode escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
