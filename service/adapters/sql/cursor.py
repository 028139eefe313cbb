"""Where a page ended, as text that a URL carries."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from service.core.errors import RequestRejected
from service.core.record import Record


def cursor_after(record: Record) -> str:
    """Opaque and url-safe; what follows `record`, newest first, comes next."""
    plain = f"{record.received_at.isoformat()} {record.id}"
    return urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def position_of(cursor: str) -> tuple[datetime, UUID]:
    """(received_at, id) of the record before; raises `RequestRejected` `field.invalid`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        moment, _, photo_id = urlsafe_b64decode(padded).decode("ascii").partition(" ")
        received_at = datetime.fromisoformat(moment)
        if received_at.utcoffset() is None:
            raise ValueError("a cursor's moment has a time zone")
        return received_at.astimezone(UTC), UUID(photo_id)
    except (ValueError, OverflowError) as error:  # of the encoding, the moment or the id
        raise RequestRejected(
            "field.invalid",
            f"cursor can't be read: {cursor[:60]!a}; send a next_cursor as it came, or none",
        ) from error
