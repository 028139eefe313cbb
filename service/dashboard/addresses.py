"""How pages read times from an address, and write them into one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Annotated
from urllib.parse import urlencode

from pydantic import BeforeValidator

from service.api.fields import moment_of

DAY_ALONE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _moment(text: object) -> object:
    """As the API reads it; a day alone, which is what browsers send, begins in UTC."""
    if not isinstance(text, str):
        return text
    if not text:
        return None
    return midnight(date.fromisoformat(text)) if DAY_ALONE.fullmatch(text) else moment_of(text)


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


def empty_is_none(text: object) -> object:
    """A form sends its empty fields along."""
    return text or None


def address_of(path: str, asked: Mapping[str, str]) -> str:
    """Below the root."""
    return f"{path}?{urlencode(asked)}" if asked else path


def ends(from_: datetime | None, to: datetime | None) -> dict[str, str]:
    """A period as it stands in an address."""
    moments = {"from": from_, "to": to}
    return {name: day_or_moment(at) for name, at in moments.items() if at is not None}


def named(asked: Mapping[str, str | None]) -> dict[str, str]:
    """What is asked for, without what is not."""
    return {name: str(value) for name, value in asked.items() if value is not None}


def day_or_moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == time() else rfc_3339(moment)


def rfc_3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
