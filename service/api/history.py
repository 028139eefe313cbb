"""A photo's history in JSON, so that whoever reads it can check it without this program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from service.api.history_example import ENTRIES, PHOTO_ID
from service.api.schemas import Answer
from service.core.history import Event, HistoryEntry, is_unbroken, rfc_3339

CHECKED_BY_HAND = """The record's history, also once the photo is deleted.

Each entry carries the hash of the one before, the first one 64 zeros, so none can be changed or
taken out unnoticed; note the last hash elsewhere, and its entry can't be taken away either.

An entry's `sha256` is that of the UTF-8 text of a JSON object with the keys `at`, `details`,
`event`, `number`, `photo_id`, `previous_sha256`: values as they are here, keys sorted, also within
`details`, no spaces, nothing escaped that JSON does not ask for. No value is a fraction, and `at`
always has six digits of a second. So the second entry's hash is what this prints:

    jq -cjS '.photo_id as $id | .items[1] | del(.sha256) + {photo_id: $id}' audit.json | sha256sum
"""


class EntryAnswer(Answer):
    number: int
    at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    event: Annotated[str, Field(json_schema_extra={"examples": [event.value for event in Event]})]
    details: dict[str, Any]
    previous_sha256: str
    """Of the entry before."""
    sha256: str
    """Of all else here and the photo's id."""

    @classmethod
    def of(cls, entry: HistoryEntry) -> Self:
        return cls(
            number=entry.number,
            at=rfc_3339(entry.at),
            event=entry.event,
            details=_details(entry.details),
            previous_sha256=entry.previous_sha256,
            sha256=entry.sha256,
        )


def _with_example(schema: dict[str, Any]) -> None:
    schema["examples"] = [HistoryAnswer.of(PHOTO_ID, ENTRIES).model_dump(mode="json")]


class HistoryAnswer(Answer):
    model_config = ConfigDict(json_schema_extra=_with_example)

    photo_id: UUID
    items: list[EntryAnswer]
    """Oldest first; none for a record from before histories were kept, until it is changed."""
    unbroken: bool
    """Whether all hashes are right, and each entry follows the one before."""

    @classmethod
    def of(cls, photo_id: UUID, history: Sequence[HistoryEntry]) -> Self:
        return cls(
            photo_id=photo_id,
            items=[EntryAnswer.of(entry) for entry in history],
            unbroken=is_unbroken(history),
        )


def _details(text: str) -> dict[str, Any]:
    """What somebody broke in the database is shown too, as text."""
    try:
        details = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return details if isinstance(details, dict) else {"unreadable": text}
