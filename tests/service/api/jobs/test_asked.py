"""Batch jobs asked for over HTTP: what is taken, what is refused, and to whom."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.api.job_body import MAX_BODY_BYTES
from service.api.keys import AuthRule
from service.api.parts import Parts
from service.core.access import Scope
from service.ports import JobLedger
from tests.fakes import FakeLedger, FakeObjectStore
from tests.problems import assert_problem
from tests.service.api.jobs.asked import ARCHIVE, NOBODY, STEPS
from tests.serving import add_key, bearer, client_of, parts_of


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


@pytest.mark.parametrize("field", ["source", "destination"])
def test_folder_that_jobs_are_not_given_is_refused_by_its_setting(parts: Parts, field: str) -> None:
    rules = replace(parts.job_rules, folders=("/mnt/photos",))
    with client_of(replace(parts, job_rules=rules)) as client:
        refused = client.post("/v1/jobs", json=ARCHIVE | {field: "file:///etc"})
        allowed = client.post("/v1/jobs", json=ARCHIVE | {field: "file:///mnt/photos/2019"})

    assert_problem(refused, 422, "field.invalid", names=f"{field}: file:///etc")
    assert "METERCROP_JOB_FOLDERS" in refused.json()["detail"]
    assert allowed.status_code == 201


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
