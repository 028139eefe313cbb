"""Batch jobs over HTTP: listed, steered, and shown with their items."""

from __future__ import annotations

from uuid import UUID

import httpx

from service.core.job import (
    Forecast,
    ItemState,
    JobState,
    SamplePicture,
)
from service.ports import JobLedger
from tests.problems import assert_problem
from tests.service.api.jobs.asked import NOBODY, STEPS, created, end_items, item, moved

FORECAST = Forecast(1, 9, 900, 0.9, 0.8, 0.95, 0.1, 0.0, 1.5, 3.0, 1_200)


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
