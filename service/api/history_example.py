"""The history that the API's page shows: of a photo whose original's grace has run out."""

from __future__ import annotations

from typing import Any

from service.api.examples import PHOTO

RETAINED: dict[str, Any] = {
    "key": f"originals/9f/1c/{'9f1c' * 16}.jpg",
    "until": "2026-03-31T17:02:11.480000Z",
    "why": "grace",
}
RECORDED_SHA256 = "ec4cf381c0a9d0d0d2befb4b39ad04d135d0c2eb273cc5c4e3aebe731494abf3"

HISTORY: dict[str, Any] = {
    "photo_id": PHOTO["id"],
    "items": [
        {
            "number": 1,
            "at": PHOTO["received_at"],
            "event": "recorded",
            "details": {
                "confidence": "0.9820",
                "crop": PHOTO["crop"],
                "model": PHOTO["model"],
                "original": {
                    "sha256": PHOTO["original"]["sha256"],
                    "bytes": PHOTO["original"]["bytes"],
                    "media_type": PHOTO["original"]["media_type"],
                },
                "retained": RETAINED,
                "source": PHOTO["source"],
                "status": PHOTO["status"],
                "stored": {
                    "sha256": PHOTO["stored"]["sha256"],
                    "bytes": PHOTO["stored"]["bytes"],
                    "media_type": PHOTO["stored"]["media_type"],
                    "key": PHOTO["stored"]["key"],
                    "exact": PHOTO["stored"]["exact"],
                },
                "context": {
                    "sha256": PHOTO["context"]["sha256"],
                    "bytes": PHOTO["context"]["bytes"],
                    "media_type": PHOTO["context"]["media_type"],
                    "key": PHOTO["context"]["key"],
                },
            },
            "previous_sha256": "0" * 64,
            "sha256": RECORDED_SHA256,
        },
        {
            "number": 2,
            "at": "2026-04-01T03:00:05.120000Z",
            "event": "purged",
            "details": {"freed_bytes": PHOTO["original"]["bytes"], "retained": RETAINED},
            "previous_sha256": RECORDED_SHA256,
            "sha256": "1da64c994dcd9dc483dadf992e62ba263444b8bc08c4fd9980b0f7d858f48e56",
        },
    ],
    "unbroken": True,
}
