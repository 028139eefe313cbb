"""`GET /health`: what operations look at."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from service.api.parts import Parts
from service.core.job import Job, JobPlan, JobState, Mode, Worker
from tests.fakes import FakeLedger, FakeObjectStore
from tests.records import cropped_record, kept_record
from tests.serving import client_of, parts_of

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)
PLAN = JobPlan("s3://archive/2026", None, Mode.COPY, "")


@pytest.fixture
def parts(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, jobs: SqlJobLedger
) -> Parts:
    return parts_of(segmenter, store, ledger, jobs=jobs, clock=lambda: NOW)


def page_of(client: httpx.Client, address: str = "/health") -> str:
    """As one line, so that where a template breaks its lines does not matter."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def add_jobs(jobs: SqlJobLedger, *states: JobState) -> None:
    for number, state in enumerate(states):
        jobs.create(Job(UUID(int=number + 1), PLAN, state, NOW))


@pytest.mark.parametrize("address", ["/health", "/health/live"])
def test_service_that_works_is_called_ready(client: httpx.Client, address: str) -> None:
    page = page_of(client, address)

    assert "<strong>Ready.</strong>" in page
    assert page.count('<span class="badge good">works</span>') == 3
    for done in ("ran an inference", "wrote, read back and deleted an object", "answered a query"):
        assert done in page


def test_part_that_fails_says_what_readyz_says(
    client: httpx.Client, store: FakeObjectStore
) -> None:
    store.available = False

    page, detail = page_of(client), client.get("/readyz").json()["detail"]

    assert "<strong>Not ready.</strong> The store fails." in page
    assert detail.removeprefix("store: ") in page


def test_page_stands_while_the_database_is_away(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger)) as client:
        page = page_of(client)

    assert "Not known: " in page
    assert "CPUExecutionProvider" in page


def test_live_part_is_no_page_of_its_own(client: httpx.Client) -> None:
    live = page_of(client, "/health/live")

    assert "<html" not in live
    assert 'hx-get="/health/live" hx-trigger="every 10s"' in page_of(client)


def test_page_names_model_encoding_limits_and_versions(client: httpx.Client, parts: Parts) -> None:
    page = page_of(client)

    model = parts.segmenter.description
    for said in (
        f"{model.name} {model.version}",
        model.licence,
        model.sha256,
        model.provider,
        "<dt>encoding</dt><dd>auto</dd>",
        "<dt>a photo</dt><dd>50.0 MB, 100 megapixels</dd>",
        "0.0 of 50.0 megapixels",
        "<dt>sqlalchemy</dt>",
    ):
        assert said in page


def test_jobs_that_have_not_ended_are_counted(client: httpx.Client, jobs: SqlJobLedger) -> None:
    add_jobs(jobs, JobState.RUNNING, JobState.RUNNING, JobState.PAUSED, JobState.COMPLETE)
    jobs.beat(Worker("one", "host", NOW, NOW))

    page = page_of(client, "/health/live")

    assert "<dt>running</dt><dd>2</dd> <dt>paused</dt><dd>1</dd> <dt>workers</dt><dd>1</dd>" in page
    assert "complete" not in page
    assert "no worker" not in page


def test_work_that_nobody_does_is_told(client: httpx.Client, jobs: SqlJobLedger) -> None:
    add_jobs(jobs, JobState.READY)
    jobs.beat(Worker("silent", "host", NOW, NOW - timedelta(hours=1)))

    assert "There is work and no worker" in page_of(client, "/health/live")


def test_paused_job_needs_no_worker(client: httpx.Client, jobs: SqlJobLedger) -> None:
    add_jobs(jobs, JobState.PAUSED)

    assert "no worker" not in page_of(client, "/health/live")


def test_drift_has_the_days_of_the_api(client: httpx.Client, ledger: FakeLedger) -> None:
    for number in range(4):
        ledger.record(cropped_record(f"crop-{number}", received_at=NOW))
    ledger.record(kept_record("kept", received_at=NOW - timedelta(days=3)))

    days = client.get("/v1/savings/drift").json()["days"]
    page = page_of(client)
    charts = [json.loads(text) for text in re.findall(r'id="drift-1-\d">(.*?)</script>', page)]

    assert [day["day"] for day in days] == ["2026-03-17", "2026-03-20"]
    for chart, figure in zip(
        charts, ("refused_fraction", "mean_confidence", "mean_region_fraction"), strict=True
    ):
        (series,) = chart["series"]
        known = dict(zip(chart["labels"], series["values"], strict=True))
        assert len(known) == 30
        assert known["17 Mar 2026"] == days[0][figure]
        assert known["18 Mar 2026"] is None
        assert known["20 Mar 2026"] == days[1][figure]
    assert "too few photos to tell" in page
    assert '<th scope="row">2026-03-20</th><td class="number">4</td>' in page


def test_alarm_of_the_drift_is_told_with_its_day(client: httpx.Client, ledger: FakeLedger) -> None:
    for day in range(2, 18):
        add_day(ledger, NOW - timedelta(days=day), refused=1)
    add_day(ledger, NOW - timedelta(days=1), refused=15)

    page, days = page_of(client), client.get("/v1/savings/drift").json()["days"]

    alarms = [alarm for day in days for alarm in day["alarms"]]
    assert alarms
    for alarm in alarms:
        assert f"<strong>2026-03-19</strong> {alarm['sentence']}" in page
    assert "1 day with an alarm" in page


def test_each_model_has_its_own_days(client: httpx.Client, ledger: FakeLedger) -> None:
    old = cropped_record("old", received_at=NOW - timedelta(days=9))
    ledger.record(cropped_record("new", received_at=NOW))
    ledger.record(replace(old, model=replace(old.model, name="older <model>")))

    page = page_of(client)
    heads = re.findall(r"<h3>(\S+ \S+|\S+) (\w{12}) <span", page)

    assert [name for name, _ in heads] == ["attention-unet", "older &lt;model&gt;"]


def test_service_that_has_seen_no_photo_says_so(client: httpx.Client) -> None:
    assert "No model has seen a photo in these days." in page_of(client)


def test_dashboard_for_grafana_can_be_taken_along(client: httpx.Client) -> None:
    answer = client.get("/health/grafana.json")

    assert 'href="/health/grafana.json"' in page_of(client)
    assert 'filename="metercrop-grafana.json"' in answer.headers["Content-Disposition"]
    assert answer.json()["panels"]


def test_head_is_answered_like_get_without_a_body(client: httpx.Client) -> None:
    answer = client.head("/health")

    assert (answer.status_code, answer.content) == (200, b"")


def add_day(ledger: FakeLedger, at: datetime, *, refused: int) -> None:
    """Thirty photos, as many as it takes for a day to be judged."""
    for number in range(30):
        make = kept_record if number < refused else cropped_record
        ledger.record(make(f"{at} {number}", received_at=at))
