"""The job that the API's page shows, and how it was asked for."""

from __future__ import annotations

from typing import Any

JOB_REQUEST: dict[str, Any] = {"source": "s3://archive/2019/", "mode": "replace", "dry_run": True}

JOB: dict[str, Any] = {
    "id": "019cac9a-3f10-7c55-8a3e-2f3f6f0d9b42",
    "state": "complete",
    "mode": "replace",
    "dry_run": True,
    "counts": {"total": 400, "cropped": 368, "kept_original": 28, "failed": 4, "skipped": 0},
    "original_bytes": 1310720000,
    "stored_bytes": 104857600,
    "freed_bytes": 0,
    "created_at": "2026-03-01T17:02:11.480000Z",
    "started_at": "2026-03-01T17:02:39.120000Z",
    "finished_at": "2026-03-01T17:03:08.610000Z",
    "eta_s": None,
    "error": None,
    "source": "s3://archive/2019/",
    "manifest": None,
    "destination": None,
    "sample": 400,
    "confirm": False,
    "max_failed_fraction": 0.1,
    "priority": 0,
    "max_per_second": None,
    "keep_originals_days": 30,
    "found_objects": 1250000,
    "found_bytes": 4096000000000,
    "forecast": {
        "saved_fraction": 0.9206,
        "saved_fraction_low": 0.9114,
        "saved_fraction_high": 0.9291,
        "kept_fraction": 0.0707,
        "money_per_month": 86.73,
        "duration_s": 92156.3,
        "failed_fraction": 0.01,
        "sampled": 400,
        "objects": 1250000,
        "original_bytes": 4096000000000,
        "transferred_bytes": 4746000000000,
    },
}
