"""Which fields from outside may enter a record.

Asked when the value is made, so that nothing is put into a store for a record that can't be kept.
"""

from __future__ import annotations

from datetime import UTC, datetime

from service.core.errors import RequestRejected

MAX_NAME_CHARS = 255
"""An index entry of PostgreSQL holds 2704 bytes: a name of this length always fits."""


def check_text(field: str, *texts: str) -> None:
    """Raises `RequestRejected` `field.invalid` for text that no database gives back as it came.

    PostgreSQL refuses NUL characters, and half a surrogate pair has no UTF-8.
    """
    for text in texts:
        if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise RequestRejected(
                "field.invalid",
                f"{field} holds {text[:60]!a}, with a NUL or half a surrogate pair in it; "
                "send plain Unicode text",
            )


def check_name(field: str, name: str | None) -> None:
    """As `check_text`, and refuses what is too long to be searched for."""
    if name is None:
        return
    check_text(field, name)
    if len(name) > MAX_NAME_CHARS:
        raise RequestRejected(
            "field.invalid", f"{field} has {len(name)} characters; send at most {MAX_NAME_CHARS}"
        )


def check_moment(field: str, moment: datetime | None) -> None:
    """Raises `RequestRejected` `field.invalid` for a time that is no moment in UTC."""
    if moment is None:
        return
    try:
        in_utc = None if moment.utcoffset() is None else moment.astimezone(UTC)
    except OverflowError:  # the calendar's first or last hours, in another zone
        in_utc = None
    if in_utc is None:
        raise RequestRejected(
            "field.invalid",
            f"{field} is {moment.isoformat()}; send it with its zone, as in 2026-03-01T09:35:21Z",
        )
