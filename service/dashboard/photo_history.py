"""A photo's history in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.api.history import HistoryAnswer
from service.core.crop import Reason
from service.core.figures import size
from service.core.history import Event, HistoryEntry
from service.dashboard.reasons import EXPLAINED
from service.usecases.purge_outcomes import MEANINGS, Why

TITLES: Mapping[str, str] = {
    Event.RECORDED: "Taken in",
    Event.SUPERSEDED: "Looked at again, by another model or other rules",
    Event.RESTORED: "The original was brought back",
    Event.PURGED: "The original was deleted",
    Event.RETAINED: "The original was due to be deleted, and stays",
    Event.RECOMPRESSED: "What is stored was recompressed, and is served as before",
    Event.DELETED: "The photo was deleted",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An entry; `written` is what was hashed, for people to compare."""

    number: int
    at: datetime
    title: str
    sentences: Sequence[str]
    written: str
    sha256: str


def told(history: Sequence[HistoryEntry], answer: HistoryAnswer) -> list[Told]:
    """Newest first."""
    entries = zip(history, answer.items, strict=True)
    return [
        Told(
            number=entry.number,
            at=entry.at,
            title=TITLES.get(entry.event, entry.event),
            sentences=list(_sentences(entry.event, shown.details)),
            written=json.dumps(shown.details, indent=2, ensure_ascii=False),
            sha256=entry.sha256,
        )
        for entry, shown in entries
    ][::-1]


def _sentences(event: str, details: Mapping[str, Any]) -> Iterator[str]:
    """What somebody broke in the database is left out: nothing here may be missing its name."""
    match event:
        case Event.RECORDED | Event.SUPERSEDED:
            yield from _account(details)
        case Event.RESTORED:
            whole = _size(_within(details, "stored", "bytes"))
            yield f"{whole} are stored again, the whole photo."
        case Event.PURGED:
            yield f"{_size(details.get('freed_bytes'))} are no longer paid for."
        case Event.RETAINED:
            yield _why_it_stays(details.get("why"))
        case Event.RECOMPRESSED:
            now, packed = (
                _within(details, "stored", "bytes"),
                _within(details, "stored", "encoding"),
            )
            lies = "as the JPEG itself" if packed is None else f"packed ({packed})"
            yield f"{_size(details.get('bytes_before'))} became {_size(now)}, {lies}."
        case Event.DELETED:
            yield f"{_size(_within(details, 'stored', 'bytes'))} are no longer stored."


def _account(details: Mapping[str, Any]) -> Iterator[str]:
    source, reason = details.get("source"), details.get("reason")
    stored, original = _within(details, "stored", "bytes"), _within(details, "original", "bytes")
    came = f"It came in by {source}. " if source else ""
    if isinstance(reason, str) and reason in set(Reason):
        yield f"{came}Kept whole, {_size(stored)}: {EXPLAINED[Reason(reason)].why}"
    else:
        yield f"{came}{_size(stored)} of {_size(original)} are stored, the crop."
    model, confidence = _within(details, "model", "name"), details.get("confidence")
    if model is not None:
        yield f"Model {model}, confidence {confidence}."
    until = _within(details, "retained", "until")
    if isinstance(until, str):
        yield f"The original is kept until {until[:10]}."
    if details.get("written") == "later":
        yield "This entry was written later: the record is from before histories were kept."


def _why_it_stays(why: object) -> str:
    if not isinstance(why, str) or why not in set(Why):
        return f"Why: {why}."
    meaning = MEANINGS.get(Why(why), why.replace("_", " "))
    return f"{meaning[:1].upper()}{meaning[1:]}."


def _within(details: Mapping[str, Any], outer: str, inner: str) -> object:
    part = details.get(outer)
    return part.get(inner) if isinstance(part, dict) else None


def _size(count: object) -> str:
    return size(count) if isinstance(count, int) else "An unknown number of bytes"
