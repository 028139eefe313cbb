"""The history that the API's page shows: of a photo whose original's grace has run out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from service.api.examples import PHOTO
from service.core.history import Event, HistoryEntry, Told, next_entry

PHOTO_ID = UUID(PHOTO["id"])
RETAINED: dict[str, Any] = {
    "key": f"originals/9f/1c/{'9f1c' * 16}.jpg",
    "until": "2026-03-31T17:02:11.480000Z",
    "why": "grace",
}
RECORDED: dict[str, Any] = {
    "confidence": "0.9820",
    "crop": PHOTO["crop"],
    "model": PHOTO["model"],
    "original": {name: PHOTO["original"][name] for name in ("sha256", "bytes", "media_type")},
    "retained": RETAINED,
    "source": PHOTO["source"],
    "status": PHOTO["status"],
    "stored": {
        name: PHOTO["stored"][name] for name in ("sha256", "bytes", "media_type", "key", "exact")
    },
    "context": {name: PHOTO["context"][name] for name in ("sha256", "bytes", "media_type", "key")},
}
PURGED: dict[str, Any] = {"freed_bytes": PHOTO["original"]["bytes"], "retained": RETAINED}


def _entries(*events: Told) -> tuple[HistoryEntry, ...]:
    entries: list[HistoryEntry] = []
    for told in events:
        entries.append(next_entry(entries[-1] if entries else None, PHOTO_ID, told))
    return tuple(entries)


ENTRIES = _entries(
    Told(Event.RECORDED, RECORDED, datetime.fromisoformat(PHOTO["received_at"])),
    Told(Event.PURGED, PURGED, datetime(2026, 4, 1, 3, 0, 5, 120_000, tzinfo=UTC)),
)
