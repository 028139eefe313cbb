"""The pages of batch jobs: what they show, what they offer, and what they ask for."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from uuid import UUID

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.api.keys import AuthRule
from service.api.parts import Parts
from service.core.access import Scope
from service.core.figures import duration, share, size
from service.core.job import ENDED, STEPS, Forecast, Job, JobState, Mode, Step
from service.ports import JobLedger
from tests.fakes import FakeLedger, FakeObjectStore
from tests.jobs import (
    PLAN,
    archive_of,
    archived,
    batch_record,
    cropped,
    failed,
    job_over,
    living_worker,
)
from tests.records import NOON
from tests.serving import add_key, bearer, client_of, now_in_utc, parts_of

FORECAST = Forecast(400, 9_000, 9_000_000_000, 0.91, 0.88, 0.94, 0.125, 0.01, 188.5, 4_000.0, 10)
OFFERED = re.compile(r'action="/jobs/[0-9a-f-]{36}/([a-z-]+)"')
NO_WORKER = "No worker is there"


@pytest.fixture
def parts(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, jobs: JobLedger
) -> Parts:
    return parts_of(segmenter, store, ledger, jobs=jobs)


def begun(jobs: JobLedger, *, failing: int = 1, waiting: int = 1) -> Job:
    """A job that runs: two photos cropped, some failed, some waiting."""
    job, items = job_over(jobs, archive_of(2 + failing + waiting))
    moved(jobs, job, JobState.RUNNING)
    jobs.settle(
        job.id,
        [
            *(cropped(item, batch_record(f"photo {item.number}")) for item in items[:2]),
            *(failed(item, message=f"no {item.number}") for item in items[2 : 2 + failing]),
        ],
    )
    return job


def moved(jobs: JobLedger, job: Job, *states: JobState) -> None:
    for state in states:
        jobs.move(job.id, to=state, only_from=set(JobState), at=now_in_utc())


def text_of(page: httpx.Response) -> str:
    """What a person reads, in one line."""
    assert page.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.text)).split())


def test_list_invites_to_a_dry_run_while_there_is_no_job(client: httpx.Client) -> None:
    page = client.get("/jobs")

    assert "No job yet" in page.text
    assert 'href="/jobs/new"' in page.text
    assert NO_WORKER not in page.text


def test_list_tells_of_each_job_what_the_api_does(client: httpx.Client, jobs: JobLedger) -> None:
    running = begun(jobs)
    moved(jobs, begun(jobs), JobState.PAUSED)
    job = client.get(f"/v1/jobs/{running.id}").json()
    saved = job["original_bytes"] - job["stored_bytes"]

    page = text_of(client.get("/jobs"))

    assert page.count(PLAN.source or "") == 2
    assert "running copy 1 failed" in page
    assert "paused copy 1 failed" in page
    assert "3 of 4 objects" in page
    assert f"{size(saved)} saved, {share(saved / job['original_bytes'])}" in page


def test_list_goes_on_page_by_page(client: httpx.Client, jobs: JobLedger) -> None:
    made = [job_over(jobs, [])[0] for _ in range(27)]

    first = client.get("/jobs").text
    older = re.search(r'href="(/jobs\?cursor=[^"]+)">Older', first)
    assert older is not None
    second = client.get(unescape(older[1])).text

    shown = [f"{job.id}" in first for job in made], [f"{job.id}" in second for job in made]
    assert shown == ([False] * 2 + [True] * 25, [True] * 2 + [False] * 25)
    assert "Older" not in second


def test_page_says_how_to_start_a_worker_where_none_is(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = begun(jobs)
    pages = ("/jobs", f"/jobs/{job.id}", f"/jobs/{job.id}/live")

    assert all(NO_WORKER in client.get(page).text for page in pages)
    jobs.beat(living_worker())
    assert not any(NO_WORKER in client.get(page).text for page in pages)
    jobs.forget_worker("one")
    moved(jobs, job, JobState.PAUSED)
    assert not any(NO_WORKER in client.get(page).text for page in pages)


def test_job_offers_the_steps_that_its_state_allows(client: httpx.Client, jobs: JobLedger) -> None:
    job = begun(jobs)
    for state in JobState:
        moved(jobs, job, state)
        page = client.get(f"/jobs/{job.id}").text
        allowed = {step.value for step, (states, _) in STEPS.items() if state in states}
        assert set(OFFERED.findall(page)) == allowed
        assert ("hx-trigger" in page) == (state not in ENDED)


def test_nothing_is_offered_to_be_tried_again_where_nothing_failed(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = begun(jobs, failing=0, waiting=0)
    moved(jobs, job, JobState.COMPLETE)

    assert OFFERED.findall(client.get(f"/jobs/{job.id}").text) == []


def test_steps_steer_and_lead_back(client: httpx.Client, jobs: JobLedger) -> None:
    job = begun(jobs)
    for step, state in (
        (Step.PAUSE, JobState.PAUSED),
        (Step.RESUME, JobState.READY),
        (Step.CANCEL, JobState.CANCELLING),
    ):
        answer = client.post(f"/jobs/{job.id}/{step}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{job.id}")
        now = jobs.job(job.id)
        assert now is not None
        assert now.state is state


def test_step_that_comes_too_late_is_told_beside_the_job_as_it_is(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = begun(jobs)
    moved(jobs, job, JobState.COMPLETE)

    page = client.post(f"/jobs/{job.id}/pause")

    by_the_api = client.post(f"/v1/jobs/{job.id}/pause").json()
    assert page.status_code == by_the_api["status"] == 409
    assert by_the_api["detail"][1:] in unescape(page.text)
    assert "All of it is dealt with" in page.text


def test_job_shows_its_first_failures_and_leads_to_all(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = begun(jobs, failing=60)

    page = client.get(f"/jobs/{job.id}").text
    all_failed = client.get(f"/jobs/{job.id}/items?state=failed").text
    following = re.search(r'href="(/jobs/[^"]+cursor=[^"]+)">Next', all_failed)
    assert following is not None
    rest = client.get(unescape(following[1])).text

    assert "photo.corrupt" in page
    assert [f">no {n}<" in page for n in (2, 11, 12)] == [True, True, False]
    assert "All 60 that failed" in page
    assert f"/v1/jobs/{job.id}/report.csv" in page
    shown = [[f">no {n}<" in text for n in (2, 51, 52, 61)] for text in (all_failed, rest)]
    assert shown == [[True, True, False, False], [False, False, True, True]]
    assert "cropped" in client.get(f"/jobs/{job.id}/items?state=cropped").text
    assert "No object of this job" in client.get(f"/jobs/{job.id}/items?state=skipped").text


def test_what_objects_are_called_is_shown_as_text(client: httpx.Client, jobs: JobLedger) -> None:
    job, (item,) = job_over(jobs, [archived("<script>alert(1)</script>.jpg")])
    jobs.settle(job.id, [failed(item, message="<b>broken</b>")])
    jobs.move(job.id, to=JobState.FAILED, only_from=set(JobState), at=NOON, error="<i>why</i>")

    for path in ("", "/live", "/items"):
        page = client.get(f"/jobs/{job.id}{path}").text
        assert "&lt;script&gt;alert(1)" in page
        assert not re.search("<script>|<b>broken|<i>why", page)


def test_dry_run_shows_the_forecast_of_the_api_and_leads_on(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job, _ = job_over(jobs, archive_of(3), plan=replace(PLAN, dry_run=True, sample=400))
    moved(jobs, job, JobState.RUNNING, JobState.COMPLETE)
    jobs.keep_forecast(job.id, FORECAST)

    answer = client.get(f"/jobs/{job.id}")

    page, forecast = text_of(answer), client.get(f"/v1/jobs/{job.id}").json()["forecast"]
    low, high = forecast["saved_fraction_low"], forecast["saved_fraction_high"]
    for told in (
        "400 of 9,000 objects, drawn at random, were tried",
        f"{share(forecast['saved_fraction'])} {share(low)} to {share(high)}, 19 times of 20",
        "188.50 USD",
        duration(forecast["duration_s"]),
        share(forecast["kept_fraction"]),
    ):
        assert told in page
    assert f"/v1/jobs/{job.id}/contact-sheet" in answer.text
    assert f"/jobs/new?like={job.id}" in answer.text


def test_unknown_job_is_a_page_that_says_so(client: httpx.Client) -> None:
    for path in ("/jobs/01900000-0000-7000-8000-000000000000", "/jobs/nonsense", "/jobs/x/items"):
        page = client.get(path)
        assert page.status_code == 404
        assert "There is no such job" in page.text


ASKED = {
    "source": "s3://archive/2021/",
    "mode": "replace",
    "destination": "s3://crops",
    "sample": "50",
    "priority": "-3",
    "max_failed_fraction": "0.25",
    "max_per_second": "2.5",
    "keep_originals_days": "7",
    "confirm": "on",
}


def test_form_creates_the_job_that_the_api_would(client: httpx.Client) -> None:
    answer = client.post("/jobs/new", data=ASKED | {"manifest": ""})

    (job,) = client.get("/v1/jobs").json()["items"]
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{job['id']}")
    made = {name: job[name] for name in ASKED}
    assert made == ASKED | {
        "sample": 50,
        "priority": -3,
        "max_failed_fraction": 0.25,
        "max_per_second": 2.5,
        "keep_originals_days": 7,
        "confirm": True,
    }
    assert job["dry_run"] is False
    assert job["manifest"] is None


def test_form_begins_with_a_dry_run_that_copies(client: httpx.Client) -> None:
    page = client.get("/jobs/new").text

    assert re.search(r'name="dry_run" value="on" checked', page)
    assert re.search(r'name="mode" value="copy" checked', page)


def test_form_tells_which_folders_a_job_may_name(parts: Parts, segmenter: OnnxSegmenter) -> None:
    for folders, told in (
        (None, "or file:///folder"),
        ((), "METERCROP_JOB_FOLDERS has to be set"),
        (("/srv/photos",), "a folder in /srv/photos"),
    ):
        rules = replace(parts.job_rules, folders=folders)
        with client_of(replace(parts, job_rules=rules)) as client:
            assert told in client.get("/jobs/new").text


def test_form_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(
    client: httpx.Client,
) -> None:
    cases = {
        "source": ({"source": "gopher://archive"}, "s3://"),
        "sample": ({"sample": "many"}, "valid integer"),
        "priority": ({"priority": "2000"}, "less than or equal to 1000"),
        "max_failed_fraction": ({"max_failed_fraction": "nan"}, "finite number"),
        "destination": ({"destination": "s3://archive/2021/crops"}, "lie within each other"),
        "mode": ({"mode": "move"}, "copy"),
    }
    for field, (asked, told) in cases.items():
        page = client.post("/jobs/new", data=ASKED | asked)
        wrong = re.search(rf'id="wrong-{field}">([^<]+)', page.text)
        assert page.status_code == 422
        assert wrong is not None, field
        assert told in unescape(wrong[1])
        assert page.text.count('class="wrong"') == 1
        if field != "mode":
            assert f'value="{asked[field]}"' in page.text
        assert 'name="confirm" value="on" checked' in page.text
        assert 'name="dry_run" value="on" checked' not in page.text
    nothing = client.post("/jobs/new", data={})
    assert nothing.text.count('class="wrong"') == 2
    assert client.get("/v1/jobs").json()["items"] == []


def test_form_begins_with_the_answers_of_a_job_that_was_only_tried(
    client: httpx.Client, jobs: JobLedger
) -> None:
    plan = replace(PLAN, mode=Mode.REPLACE, dry_run=True, sample=400, max_per_second=3.0)
    job, _ = job_over(jobs, [], plan=plan)

    page = client.get(f"/jobs/new?like={job.id}").text

    assert f'value="{plan.source}"' in page
    assert 'name="mode" value="replace" checked' in page
    assert 'name="dry_run" value="on" checked' not in page
    assert 'name="sample" type="number" value=""' in page
    assert 'name="max_per_second" type="number" value="3"' in page


def test_pages_ask_for_the_scope_of_jobs(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, jobs: JobLedger
) -> None:
    job = begun(jobs)
    add_key(ledger, "reader", Scope.READ, Scope.UPLOAD)
    add_key(ledger, "engineer", Scope.JOBS)
    pages = ["/jobs", "/jobs/new", f"/jobs/{job.id}", f"/jobs/{job.id}/items"]
    parts = parts_of(segmenter, store, ledger, rule=AuthRule.ALWAYS, jobs=jobs)

    with client_of(parts) as client:
        for page in pages:
            assert client.get(page).headers["Location"].startswith("/sign-in?next=%2Fjobs")
            assert client.get(page, headers=bearer("reader")).status_code == 403
            assert client.get(page, headers=bearer("engineer")).status_code == 200
        for path in ("/jobs/new", f"/jobs/{job.id}/cancel"):
            assert client.post(path, data=ASKED).headers["Location"] == "/sign-in"
            assert client.post(path, data=ASKED, headers=bearer("reader")).status_code == 403
        assert "Savings" not in client.get("/jobs", headers=bearer("engineer")).text


def test_page_of_another_site_can_neither_create_nor_steer(
    client: httpx.Client, jobs: JobLedger
) -> None:
    job = begun(jobs)
    for path in ("/jobs/new", f"/jobs/{job.id}/cancel"):
        answer = client.post(path, data=ASKED, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
    assert client.get(f"/v1/jobs/{UUID(str(job.id))}").json()["state"] == "running"
