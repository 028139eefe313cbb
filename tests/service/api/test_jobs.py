"""Batch jobs over HTTP: created, shown, steered, reported."""

from __future__ import annotations

import csv
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import UUID

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from service.api.job_body import MAX_BODY_BYTES
from service.api.job_metrics import MAX_SHOWN
from service.api.job_report import csv_chunks
from service.api.job_schemas import ItemAnswer
from service.api.keys import AuthRule
from service.api.parts import Parts
from service.core.access import Scope
from service.core.archive import ArchivedObject
from service.core.job import (
    Forecast,
    Item,
    ItemState,
    JobState,
    Outcome,
    SamplePicture,
    Worker,
)
from service.ports import JobLedger
from tests.fakes import FakeLedger, FakeObjectStore
from tests.problems import assert_problem
from tests.records import NOON
from tests.servers.postgres import opened
from tests.serving import add_key, bearer, client_of, now_in_utc, parts_of

NOBODY = "01900000-0000-7000-8000-000000000000"
ARCHIVE = {"source": "s3://archive/2019/"}
STEPS = ["confirm", "pause", "resume", "cancel", "retry-failed"]
FORECAST = Forecast(1, 9, 900, 0.9, 0.8, 0.95, 0.1, 0.0, 1.5, 3.0, 1_200)


@pytest.fixture
def jobs(sqlite_url: str) -> Iterator[JobLedger]:
    with opened(sqlite_url) as engine:
        yield SqlJobLedger(engine)


@pytest.fixture
def parts(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, jobs: JobLedger
) -> Parts:
    return parts_of(segmenter, store, ledger, jobs=jobs)


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


def test_job_is_created_and_says_where_it_is_found(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json=ARCHIVE)

    job = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}"
    assert client.get(answer.headers["Location"]).json() == job
    assert list(job)[:13] == [
        "id", "state", "mode", "dry_run", "counts", "original_bytes", "stored_bytes",
        "freed_bytes", "created_at", "started_at", "finished_at", "eta_s", "error",
    ]  # fmt: skip
    assert list(job["counts"]) == ["total", "cropped", "kept_original", "failed", "skipped"]
    assert (job["state"], job["mode"], job["dry_run"]) == ("preparing", "copy", False)
    assert (job["started_at"], job["eta_s"], job["forecast"]) == (None, None, None)


def test_job_shows_all_that_it_was_asked_for(client: httpx.Client) -> None:
    asked = {
        "source": None,
        "manifest": "s3://archive/list.csv",
        "mode": "replace",
        "destination": "s3://crops/2019",
        "dry_run": True,
        "sample": 50,
        "confirm": True,
        "max_failed_fraction": 0.5,
        "priority": -3,
        "max_per_second": 2,
        "keep_originals_days": 7,
    }

    job = client.post("/v1/jobs", json=asked).json()

    assert {name: job[name] for name in asked} == asked


def test_job_that_cannot_be_understood_is_refused_by_the_fields_name(
    client: httpx.Client,
) -> None:
    cases: list[tuple[object, str]] = [
        ({}, "source, manifest"),
        ({"sauce": "s3://archive"}, "sauce"),
        ({"source": 7}, "source"),
        ({"source": ""}, "source"),
        ({"source": "gopher://archive"}, "source"),
        ({**ARCHIVE, "mode": "move"}, "mode"),
        ({**ARCHIVE, "dry_run": "yes"}, "dry_run"),
        ({**ARCHIVE, "sample": 0}, "sample"),
        ({**ARCHIVE, "sample": True}, "sample"),
        ({**ARCHIVE, "max_failed_fraction": 2}, "max_failed_fraction"),
        ({**ARCHIVE, "max_per_second": 0}, "max_per_second"),
        ([ARCHIVE], "body"),
    ]

    for asked, names in cases:
        assert_problem(client.post("/v1/jobs", json=asked), 422, "field.invalid", names=names)
    assert client.get("/v1/jobs").json()["items"] == []


def test_job_among_metercrops_own_objects_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json={"source": "s3://own-store/metercrop/crops"})

    assert_problem(answer, 422, "job.overlap", names="own store")


def test_body_that_is_no_json_is_malformed(client: httpx.Client) -> None:
    json_in_utf_8 = {"Content-Type": "application/json; charset=utf-8"}

    for content in (b"", b"{", b"\xff", b"[" * 5_000, b'{"source": "\\ud800"}'):
        answer = client.post("/v1/jobs", content=content, headers=json_in_utf_8)
        assert_problem(answer, 400, "request.invalid", names="JSON")


def test_body_that_any_web_page_may_send_creates_no_job(client: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = client.post(
            "/v1/jobs", content=b'{"source": "s3://archive"}', headers={"Content-Type": kind}
        )
        assert_problem(answer, 415, "request.unsupported", names="application/json")


def test_body_that_is_larger_than_any_job_is_not_read(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json={"source": "s3://a/" + "x" * MAX_BODY_BYTES})

    assert_problem(answer, 413, "request.too_large", names="manifest")


def test_jobs_are_listed_newest_first_page_by_page(client: httpx.Client) -> None:
    ids = [created(client)["id"] for _ in range(5)]

    first = client.get("/v1/jobs", params={"limit": 3}).json()
    second = client.get("/v1/jobs", params={"cursor": first["next_cursor"]}).json()

    assert [job["id"] for job in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_job_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    for path in ("", "/items", "/report.csv", "/contact-sheet"):
        assert_problem(client.get(f"/v1/jobs/{NOBODY}{path}"), 404, "job.not_found")
        assert_problem(client.get(f"/v1/jobs/no-uuid{path}"), 404, "job.not_found")
    for step in STEPS:
        assert_problem(client.post(f"/v1/jobs/{NOBODY}/{step}"), 404, "job.not_found")


def test_step_answers_with_the_job_as_it_is_then(client: httpx.Client, jobs: JobLedger) -> None:
    cases = [
        (JobState.AWAITING_CONFIRMATION, "confirm", "ready"),
        (JobState.RUNNING, "pause", "paused"),
        (JobState.PAUSED, "resume", "ready"),
        (JobState.RUNNING, "cancel", "cancelling"),
        (JobState.PAUSED, "cancel", "cancelled"),
        (JobState.COMPLETE, "retry-failed", "ready"),
    ]

    for before, step, after in cases:
        job = created(client)
        moved(jobs, job, before)
        end_items(jobs, job, item(0, ItemState.FAILED, code="photo.corrupt"))
        answer = client.post(f"/v1/jobs/{job['id']}/{step}")
        assert answer.status_code == 200
        assert answer.json() == client.get(f"/v1/jobs/{job['id']}").json()
        assert answer.json()["state"] == after


def test_step_that_the_state_does_not_allow_says_so(client: httpx.Client) -> None:
    job = created(client)

    answer = client.post(f"/v1/jobs/{job['id']}/resume")

    assert_problem(answer, 409, "job.wrong_state", names="is preparing; resume is possible only")


def test_items_tell_what_became_of_each_object(client: httpx.Client, jobs: JobLedger) -> None:
    job = created(client)
    end_items(
        jobs,
        job,
        item(0, ItemState.CROPPED),
        item(1, ItemState.KEPT_ORIGINAL, code="no_region"),
        item(2, ItemState.FAILED, code="object.changed"),
        item(3, ItemState.PENDING),
    )

    listed = client.get(f"/v1/jobs/{job['id']}/items").json()

    cropped, kept, failed, pending = listed["items"]
    assert list(cropped) == [
        "number", "bucket", "key", "version", "etag", "state", "reason", "error", "message",
        "original_bytes", "stored_bytes", "freed_bytes", "stored_key", "photo_id", "finished_at",
    ]  # fmt: skip
    assert (cropped["bucket"], cropped["key"]) == ("archive", "2019/0.jpg")
    assert (cropped["version"], cropped["etag"]) == ("v0", "etag0")
    assert (cropped["original_bytes"], cropped["stored_bytes"]) == (1_000, 100)
    assert (kept["reason"], kept["error"]) == ("no_region", None)
    assert (failed["reason"], failed["error"]) == (None, "object.changed")
    assert failed["message"] == "it was object.changed"
    assert (pending["state"], pending["finished_at"]) == ("pending", None)
    assert listed["next_cursor"] is None


def test_items_are_found_by_their_state_page_by_page(client: httpx.Client, jobs: JobLedger) -> None:
    job = created(client)
    odd_ones_fail = [ItemState.CROPPED, ItemState.FAILED] * 3
    end_items(jobs, job, *(item(n, state) for n, state in enumerate(odd_ones_fail)))
    path = f"/v1/jobs/{job['id']}/items?state=failed"

    first = client.get(f"{path}&limit=2").json()
    second = client.get(f"{path}&limit=2&cursor={first['next_cursor']}").json()

    assert [each["number"] for each in first["items"] + second["items"]] == [1, 3, 5]
    assert second["next_cursor"] is None


def test_question_about_items_that_cannot_be_read_is_refused_by_name(
    client: httpx.Client,
) -> None:
    path = f"/v1/jobs/{created(client)['id']}/items"

    for query in ({"state": "lost"}, {"limit": "0"}, {"cursor": "nonsense"}, {"sort": "key"}):
        answer = client.get(path, params=query)
        assert_problem(answer, 422, "field.invalid", names=next(iter(query)))


def test_report_has_a_row_for_each_object_with_the_fields_of_items(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = created(client)
    end_items(
        jobs,
        job,
        item(0, ItemState.CROPPED),
        item(1, ItemState.FAILED, code="photo.corrupt"),
        item(2, ItemState.PENDING),
    )

    answer = client.get(f"/v1/jobs/{job['id']}/report.csv")

    listed = client.get(f"/v1/jobs/{job['id']}/items").json()["items"]
    as_text = [
        {name: "" if value is None else str(value) for name, value in each.items()}
        for each in listed
    ]
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"job-{job['id']}.csv" in answer.headers["Content-Disposition"]
    assert "Content-Length" not in answer.headers
    assert rows(answer) == as_text


def test_report_gives_keys_back_exactly_as_they_are(client: httpx.Client, jobs: JobLedger) -> None:
    keys = ['=cmd|"/c calc"!A1', "+1.jpg", "-1.jpg", "@sum.jpg", 'a "b", c\r\n.jpg', "ä/é 🙂.jpg"]
    job = created(client)
    end_items(jobs, job, *(item(n, ItemState.CROPPED, key=key) for n, key in enumerate(keys)))

    answer = client.get(f"/v1/jobs/{job['id']}/report.csv")

    assert [row["key"] for row in rows(answer)] == keys


def test_report_takes_no_more_memory_for_more_objects() -> None:
    few, many = (peak_bytes(csv_chunks(many_items(count))) for count in (2_000, 20_000))

    assert many < 1.2 * few


def test_report_of_a_job_without_objects_names_its_columns(client: httpx.Client) -> None:
    answer = client.get(f"/v1/jobs/{created(client)['id']}/report.csv")

    assert answer.text == ",".join(ItemAnswer.model_fields) + "\r\n"


def test_dry_run_answers_with_its_forecast_and_its_contact_sheet(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = created(client, dry_run=True)
    end_items(jobs, job, item(0, ItemState.CROPPED))
    jobs.keep_forecast(UUID(job["id"]), FORECAST)
    jobs.keep_pictures(UUID(job["id"]), [SamplePicture(0, b"a small picture")])

    forecast = client.get(f"/v1/jobs/{job['id']}").json()["forecast"]
    sheet = client.get(f"/v1/jobs/{job['id']}/contact-sheet")

    assert list(forecast)[:6] == [
        "saved_fraction", "saved_fraction_low", "saved_fraction_high", "kept_fraction",
        "money_per_month", "duration_s",
    ]  # fmt: skip
    assert forecast["saved_fraction"] == 0.9
    assert sheet.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "img-src data:" in sheet.headers["Content-Security-Policy"]
    assert "0.jpg" in sheet.text


def test_job_that_is_no_dry_run_has_no_contact_sheet(client: httpx.Client) -> None:
    answer = client.get(f"/v1/jobs/{created(client)['id']}/contact-sheet")

    assert_problem(answer, 404, "job.no_contact_sheet", names="no dry run")


def test_jobs_ask_for_a_key_with_their_scope(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, jobs: JobLedger
) -> None:
    add_key(ledger, "reader", Scope.READ, Scope.UPLOAD)
    add_key(ledger, "engineer", Scope.JOBS)
    reads = [
        "",
        f"/{NOBODY}",
        *(f"/{NOBODY}/{of}" for of in ("items", "report.csv", "contact-sheet")),
    ]
    routes = [("GET", path) for path in reads] + [("POST", "")]
    routes += [("POST", f"/{NOBODY}/{step}") for step in STEPS]
    parts = parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS, jobs=jobs)

    with client_of(parts) as client:
        for method, path in routes:
            nobody = client.request(method, f"/v1/jobs{path}")
            reader = client.request(method, f"/v1/jobs{path}", headers=bearer("reader"))
            engineer = client.request(method, f"/v1/jobs{path}", headers=bearer("engineer"))
            assert_problem(nobody, 401, "auth.missing")
            assert_problem(reader, 403, "auth.forbidden", names="jobs")
            assert engineer.status_code in (200, 404, 415)


def test_key_is_asked_for_before_the_body_is_read(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    with client_of(parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS)) as client:
        answer = client.post("/v1/jobs", content=bytes(10 * MAX_BODY_BYTES))

    assert_problem(answer, 401, "auth.missing")


def test_metrics_tell_of_jobs_that_run_or_are_paused(client: httpx.Client, jobs: JobLedger) -> None:
    running, paused, done = created(client), created(client), created(client)
    for job, state in ((running, "running"), (paused, "paused"), (done, "complete")):
        end_items(jobs, job, item(0, ItemState.CROPPED), item(1, ItemState.PENDING))
        moved(jobs, job, JobState(state))
    jobs.beat(Worker("one", "host", now_in_utc(), now_in_utc()))
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


def many_items(count: int) -> Iterator[Item]:
    return (item(number, ItemState.CROPPED) for number in range(count))


def peak_bytes(chunks: Iterator[bytes]) -> int:
    """What memory they took at most while they were read."""
    tracemalloc.start()
    try:
        for _ in chunks:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(StringIO(answer.content.decode(), newline="")))


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


@pytest.mark.parametrize("field", ["source", "destination"])
def test_folder_that_jobs_are_not_given_is_refused_by_its_setting(parts: Parts, field: str) -> None:
    rules = replace(parts.job_rules, folders=("/mnt/photos",))
    with client_of(replace(parts, job_rules=rules)) as client:
        refused = client.post("/v1/jobs", json=ARCHIVE | {field: "file:///etc"})
        allowed = client.post("/v1/jobs", json=ARCHIVE | {field: "file:///mnt/photos/2019"})

    assert_problem(refused, 422, "field.invalid", names=f"{field}: file:///etc")
    assert "METERCROP_JOB_FOLDERS" in refused.json()["detail"]
    assert allowed.status_code == 201
