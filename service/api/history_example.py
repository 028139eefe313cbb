"""The history that the API's page shows: of a photo whose original's grace has run out."""

from __future__ import annotations

from typing import Any

from service.api.examples import PHOTO

RETAINED: dict[str, Any] = {
    "key": f"originals/9f/1c/{'9f1c' * 16}.jpg",
    "until": "2026-03-31T17:02:11.480000Z",
    "why": "grace",
}
RECORDED_SHA256 = "bbf29bb1ab2b6a435fd418101aa8c9c9c20c2b7bfb7178060b30dbb30e42f4fd"

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
            "sha256": "b56d5d0ef7cdb21274102dd9c42512092c6840eaac955ba1313f5dd96a936523",
        },
    ],
    "unbroken": True,
}
