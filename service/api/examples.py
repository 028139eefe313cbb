"""The record that the API's page shows."""

from __future__ import annotations

from typing import Any

PHOTO: dict[str, Any] = {
    "id": "019cac9a-3f10-7c55-8a3e-2f3f6f0d9b41",
    "status": "cropped",
    "reason": None,
    "meter_id": "G-1047",
    "site": None,
    "meter_type": None,
    "reader_id": None,
    "tags": {"route": "7"},
    "captured_at": "2026-03-01T09:35:21Z",
    "received_at": "2026-03-01T17:02:11.480000Z",
    "source": "upload",
    "original": {
        "sha256": "9f1c" * 16,
        "bytes": 1633413,
        "media_type": "image/jpeg",
        "width": 4000,
        "height": 2250,
        "exif_orientation": 1,
        "retained_until": None,
    },
    "stored": {
        "sha256": "4be2" * 16,
        "bytes": 96120,
        "media_type": "image/jpeg",
        "width": 1056,
        "height": 512,
        "key": f"crops/c0/de/{'c0de' * 16}.jpg",
        "exact": True,
        "encoding": None,
        "content_bytes": 96120,
    },
    "context": {
        "sha256": "5a11" * 16,
        "bytes": 9204,
        "media_type": "image/webp",
        "width": 320,
        "height": 180,
        "key": f"context/c0/de/{'c0de' * 16}-320.webp",
    },
    "crop": {
        "left": 1472,
        "top": 800,
        "right": 2528,
        "bottom": 1312,
        "region": {"left": 1701, "top": 911, "right": 2302, "bottom": 1204},
    },
    "confidence": 0.982,
    "model": {
        "name": "quarter-unet",
        "sha256": "a77e" * 16,
        "provider": "CPUExecutionProvider",
    },
    "saved_bytes": 1528089,
    "saved_fraction": 0.9355,
    "timings_ms": {"decode": 21.4, "segment": 18.9, "crop": 30.2, "store": 6.1, "total": 76.9},
}
