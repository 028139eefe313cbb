"""What a sender may say about a photo."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from service.core.errors import RequestRejected
from service.core.record import Capture

FIELDS = ("meter_id", "site", "meter_type", "captured_at", "reader_id", "tags")
MAX_TAGS = 64
MAX_TAG_CHARS = 1_000
MAX_KEY_CHARS = 255
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def capture_of(fields: Mapping[str, str]) -> Capture:
    """The fields, read; empty ones count as not given. Raises `RequestRejected` `field.invalid`."""
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise RequestRejected(
            "field.invalid",
            f"{unknown[0][:60]!r} is no field of a photo; there are {', '.join(FIELDS)}",
        )
    captured_at, tags = fields.get("captured_at"), fields.get("tags")
    return Capture(
        meter_id=fields.get("meter_id") or None,
        site=fields.get("site") or None,
        meter_type=fields.get("meter_type") or None,
        reader_id=fields.get("reader_id") or None,
        captured_at=_moment("captured_at", captured_at) if captured_at else None,
        tags=_tags(tags) if tags else {},
    )


def joined(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Both; a field in both is refused, as only one of them could be kept."""
    twice = first.keys() & second.keys()
    if twice:
        raise RequestRejected("field.invalid", f"{min(twice)} is given twice")
    return {**first, **second}


def idempotency_key_of(header: str | None) -> str | None:
    """Raises `RequestRejected` `field.invalid` for what is no short printable text."""
    if header is None:
        return None
    if not 1 <= len(header) <= MAX_KEY_CHARS or not (header.isascii() and header.isprintable()):
        raise RequestRejected(
            "field.invalid",
            f"Idempotency-Key: 1 to {MAX_KEY_CHARS} printable ASCII characters are read",
        )
    return header


def moment_of(text: str) -> datetime:
    """In UTC; raises ValueError for what is no RFC 3339 time or lies outside the calendar."""
    try:
        if RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # the thirtieth of February, or the calendar's last hours in another zone
    raise ValueError(
        f"{text[:60]!r} is no RFC 3339 time such as 2026-03-01T09:35:21Z "
        "(in an address, + is written %2B)"
    )


def _moment(name: str, text: str) -> datetime:
    try:
        return moment_of(text)
    except ValueError as error:
        raise RequestRejected("field.invalid", f"{name}: {error}") from error


def _tags(text: str) -> dict[str, str]:
    try:
        tags = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_tags() from error
    if not isinstance(tags, dict) or len(tags) > MAX_TAGS:
        raise _no_tags()
    texts = [*tags.keys(), *tags.values()]
    if not all(isinstance(each, str) and len(each) <= MAX_TAG_CHARS for each in texts):
        raise _no_tags()
    return tags


def _no_tags() -> RequestRejected:
    return RequestRejected(
        "field.invalid",
        f"tags: a JSON object of at most {MAX_TAGS} strings is read, each of at most "
        f'{MAX_TAG_CHARS} characters, such as {{"route": "7"}}',
    )
