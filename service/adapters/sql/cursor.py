"""Where a page ended, as text that a URL carries."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from service.core.errors import RequestRejected
from service.core.record import Record

MAX_NUMBER = 2**63 - 1


def cursor_after(record: Record) -> str:
    """Opaque and url-safe; what follows `record`, newest first, comes next."""
    return cursor_at(record.received_at, record.id)


def cursor_at(moment: datetime, row_id: UUID) -> str:
    """As `cursor_after`, of anything that is listed by a moment and its id."""
    return _encoded(f"{moment.isoformat()} {row_id}")


def position_of(cursor: str) -> tuple[datetime, UUID]:
    """The moment and the id at which it was; raises `RequestRejected` `field.invalid`."""
    try:
        moment, _, row_id = _decoded(cursor).partition(" ")
        at = datetime.fromisoformat(moment)
        if at.utcoffset() is None:
            raise ValueError("a cursor's moment has a time zone")
        return at.astimezone(UTC), UUID(row_id)
    except (ValueError, OverflowError) as error:  # of the encoding, the moment or the id
        raise _unreadable(cursor) from error


def cursor_at_number(number: int) -> str:
    """Of what is listed by its number."""
    return _encoded(f"{number}")


def number_of(cursor: str) -> int:
    """The number at which it was; raises `RequestRejected` `field.invalid`."""
    try:
        number = int(_decoded(cursor))
        if not 0 <= number <= MAX_NUMBER:
            raise ValueError("no row has this number")
    except ValueError as error:
        raise _unreadable(cursor) from error
    return number


def _encoded(plain: str) -> str:
    return urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str:
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    return urlsafe_b64decode(padded).decode("ascii")


def _unreadable(cursor: str) -> RequestRejected:
    return RequestRejected(
        "field.invalid",
        f"cursor can't be read: {cursor[:60]!a}; send a next_cursor as it came, or none",
    )
