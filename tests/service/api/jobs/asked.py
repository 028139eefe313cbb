"""Jobs asked for over HTTP, moved on and ended as workers would."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx

from service.core.archive import ArchivedObject
from service.core.job import (
    Item,
    ItemState,
    JobState,
    Outcome,
)
from service.ports import JobLedger
from tests.records import NOON

NOBODY = "01900000-0000-7000-8000-000000000000"
ARCHIVE = {"source": "s3://archive/2019/"}
STEPS = ["confirm", "pause", "resume", "cancel", "retry-failed"]


def created(client: httpx.Client, **asked: object) -> dict[str, Any]:
    answer = client.post("/v1/jobs", json=ARCHIVE | asked)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


def moved(jobs: JobLedger, job: dict[str, Any], state: JobState) -> None:
    """On through running, as workers would."""
    for to in (JobState.RUNNING, state):
        jobs.move(UUID(job["id"]), to=to, only_from=set(JobState), at=NOON)


def end_items(jobs: JobLedger, job: dict[str, Any], *ends: Item) -> None:
    job_id = UUID(job["id"])
    jobs.add_items(job_id, [item.object for item in ends], listed_after=ends[-1].object.key)
    outcomes = [Outcome(item) for item in ends if item.state is not ItemState.PENDING]
    jobs.settle(job_id, outcomes)


def item(number: int, state: ItemState, *, code: str | None = None, key: str = "") -> Item:
    found = ArchivedObject(
        "s3://archive", key or f"2019/{number}.jpg", 1_000, f"etag{number}", f"v{number}"
    )
    stored = 100 if state is ItemState.CROPPED else 0
    ended = Item(number, found, state, code, stored_bytes=stored, original_bytes=stored * 10)
    return replace(ended, message=code and f"it was {code}", finished_at=NOON)
