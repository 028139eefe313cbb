"""What `/metrics` tells of batch jobs."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from service.api.job_metrics import MAX_SHOWN
from service.core.job import (
    ItemState,
    JobState,
    Worker,
)
from service.ports import JobLedger
from tests.fakes import FakeLedger, FakeObjectStore
from tests.jobs import living_worker
from tests.records import NOON
from tests.servers.postgres import opened
from tests.service.api.jobs.asked import created, end_items, item, moved
from tests.serving import client_of, parts_of


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


def test_metrics_tell_of_jobs_that_run_or_are_paused(client: httpx.Client, jobs: JobLedger) -> None:
    running, paused, done = created(client), created(client), created(client)
    for job, state in ((running, "running"), (paused, "paused"), (done, "complete")):
        end_items(jobs, job, item(0, ItemState.CROPPED), item(1, ItemState.PENDING))
        moved(jobs, job, JobState(state))
    jobs.beat(living_worker())
    jobs.beat(Worker("long silent", "host", NOON, NOON))

    text = client.get("/metrics").text

    shown = {(each.name, *each.labels.values()): each.value for each in samples(text)}
    assert shown["metercrop_workers",] == 1
    assert shown["metercrop_job_running", running["id"]] == 1
    assert shown["metercrop_job_running", paused["id"]] == 0
    assert ("metercrop_job_running", done["id"]) not in shown
    assert shown["metercrop_job_items", running["id"], "cropped"] == 1
    assert shown["metercrop_job_items", running["id"], "pending"] == 1
    assert shown["metercrop_job_original_bytes", running["id"]] == 1_000
    assert shown["metercrop_job_stored_bytes", running["id"]] == 100
    assert shown["metercrop_job_eta_seconds", running["id"]] > 0
    assert ("metercrop_job_eta_seconds", paused["id"]) not in shown


def test_metrics_tell_of_no_more_jobs_than_fit(client: httpx.Client, jobs: JobLedger) -> None:
    for _ in range(MAX_SHOWN + 1):
        moved(jobs, created(client), JobState.PAUSED)

    shown = [each for each in samples(client.get("/metrics").text) if "job_running" in each.name]

    assert len(shown) == MAX_SHOWN


def test_metrics_of_all_else_are_told_while_the_database_is_away(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with opened("postgresql://me@127.0.0.1:1/nowhere") as nowhere:
        parts = parts_of(segmenter, store, ledger, jobs=SqlJobLedger(nowhere))
        with client_of(parts) as client:
            text = client.get("/metrics").text

    assert "metercrop_info" in text
    assert "metercrop_job" not in text
