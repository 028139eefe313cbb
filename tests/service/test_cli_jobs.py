"""Jobs listed, shown, steered and reported by the command, over a real database."""

from __future__ import annotations

import csv
import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.adapters.sql.jobs import SqlJobLedger
from service.core.archive import ArchivedObject
from service.core.job import (
    Forecast,
    ItemState,
    Job,
    JobState,
    Outcome,
    SamplePicture,
)
from service.ports import JobLedger
from service.usecases.jobs import JobRequest, JobRules, job_of, new_job
from service.usecases.places import OwnStore
from tests.records import NOON
from tests.servers.postgres import opened
from tests.service.commands import TIMEOUT_S, Workplace, workplace_in
from tests.service.terminals import on_terminal

NO_JOB = "01900000-0000-7000-8000-000000000000"
RULES = JobRules(OwnStore("s3://own", ""))
FORECAST = Forecast(400, 9_000, 900_000, 0.9, 0.85, 0.95, 0.1, 0.01, 1.5, 11_520.0, 1_200_000)


@pytest.fixture
def workplace(tmp_path: Path, sqlite_url: str) -> Workplace:
    return workplace_in(tmp_path, METERCROP_DATABASE_URL=sqlite_url)


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[JobLedger]:
    with opened(sqlite_url) as engine:
        yield SqlJobLedger(engine)


def add_job(
    ledger: JobLedger,
    state: JobState = JobState.PREPARING,
    *,
    ends: tuple[ItemState, ...] = (),
    dry_run: bool = False,
    at: datetime = datetime(2026, 3, 1, tzinfo=UTC),
) -> Job:
    """One that ran before it came to that state, with an item for each of `ends`."""
    job = new_job(JobRequest(source="s3://archive/2019/", dry_run=dry_run), RULES, at=at)
    ledger.create(job)
    for to in (JobState.RUNNING, state) if state is not JobState.PREPARING else ():
        ledger.move(job.id, to=to, only_from=set(JobState), at=at)
    found = [
        ArchivedObject("s3://archive", f"2019/{n}.jpg", 1_000, f"etag{n}") for n in range(len(ends))
    ]
    if found:
        ledger.add_items(job.id, found, listed_after=found[-1].key)
    items = zip(ledger.pending_items(job.id, chunk=0), ends, strict=True)
    ended = [
        Outcome(replace(item, state=end, original_bytes=1_000, stored_bytes=100, finished_at=at))
        for item, end in items
        if end is not ItemState.PENDING
    ]
    ledger.settle(job.id, ended)
    return job_of(ledger, job.id)


def shown(workplace: Workplace, *arguments: str) -> dict[str, Any]:
    done = workplace.call("jobs", "--json", *arguments)
    assert done.exit_code == 0, done.output
    account: dict[str, Any] = json.loads(done.stdout)
    return account


def test_jobs_are_listed_newest_first_with_ids_to_copy(
    workplace: Workplace, ledger: JobLedger
) -> None:
    march = datetime(2026, 3, 1, tzinfo=UTC)
    jobs = [add_job(ledger, at=march + timedelta(days=day)) for day in range(3)]

    listed = workplace.call("jobs").stdout.splitlines()

    assert [line.split()[0] for line in listed[1:]] == [str(job.id) for job in jobs[::-1]]
    assert "preparing" in listed[1]
    assert max(map(len, listed)) <= 80


def test_list_holds_every_job(workplace: Workplace, ledger: JobLedger) -> None:
    jobs = [add_job(ledger) for _ in range(101)]

    listed = json.loads(workplace.call("jobs", "--json").stdout)

    assert {job["id"] for job in listed} == {str(job.id) for job in jobs}


def test_list_without_jobs_is_empty(workplace: Workplace) -> None:
    assert json.loads(workplace.call("jobs", "--json").stdout) == []
    assert workplace.call("jobs").exit_code == 0


def test_job_is_shown_with_what_became_of_its_objects(
    workplace: Workplace, ledger: JobLedger
) -> None:
    ends = (ItemState.CROPPED, ItemState.CROPPED, ItemState.FAILED, ItemState.PENDING)
    job = add_job(ledger, JobState.RUNNING, ends=ends)

    table = workplace.call("jobs", str(job.id)).stdout

    rows = {line[:17].strip(): line[17:].split() for line in table.splitlines()}
    assert rows["job"] == ["running", str(job.id)]
    assert rows["objects"][:2] == ["4", "1"]
    assert rows["cropped"] == ["2"]
    assert rows["failed"][0] == "1"
    assert f"metercrop jobs {job.id} --report FILE" in " ".join(table.split())


def test_json_is_what_the_api_answers(workplace: Workplace, ledger: JobLedger) -> None:
    job = add_job(ledger, ends=(ItemState.SKIPPED,))

    account = shown(workplace, str(job.id))

    assert list(account)[:4] == ["id", "state", "mode", "dry_run"]
    assert (account["id"], account["counts"]["skipped"]) == (str(job.id), 1)
    assert account["created_at"] == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        (JobState.AWAITING_CONFIRMATION, "--confirm", "ready"),
        (JobState.RUNNING, "--pause", "paused"),
        (JobState.PAUSED, "--resume", "ready"),
        (JobState.PAUSED, "--cancel", "cancelled"),
        (JobState.COMPLETE, "--retry-failed", "ready"),
    ],
)
def test_job_is_steered(
    workplace: Workplace, ledger: JobLedger, before: JobState, step: str, after: str
) -> None:
    job = add_job(ledger, before, ends=(ItemState.FAILED,))

    assert shown(workplace, str(job.id), step)["state"] == after
    assert job_of(ledger, job.id).state == after


def test_step_that_the_state_does_not_allow_ends_with_1_and_one_line(
    workplace: Workplace, ledger: JobLedger
) -> None:
    job = add_job(ledger)

    refused = workplace.call("jobs", str(job.id), "--resume")

    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        f"metercrop: job {job.id} is preparing; resume is possible only while a job is paused\n"
    )


def test_job_that_is_not_there_ends_with_1_and_one_line(workplace: Workplace) -> None:
    nobody = NO_JOB
    for asked in ((), ("--pause",), ("--follow",), ("--report", "report.csv")):
        missing = workplace.call("jobs", str(nobody), *asked)
        assert missing.exit_code == 1
        assert missing.stderr == (
            f"metercrop: there is no job {nobody}; `metercrop jobs` lists all\n"
        )
    assert not (workplace.folder / "report.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-id",),
        ("--pause",),
        ("--follow",),
        ("--report", "report.csv"),
        (NO_JOB, "--pause", "--cancel"),
        (NO_JOB, "--restart"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(workplace: Workplace, arguments: tuple[str, ...]) -> None:
    refused = workplace.call("jobs", *arguments)

    assert refused.exit_code == 2
    assert "Error" in refused.stderr


def test_report_is_written_with_a_row_an_object(workplace: Workplace, ledger: JobLedger) -> None:
    job = add_job(ledger, ends=(ItemState.CROPPED, ItemState.SKIPPED, ItemState.PENDING))
    (workplace.folder / "report.csv").write_text("an older one")

    done = workplace.call("jobs", str(job.id), "--report", "report.csv")

    assert done.exit_code == 0
    with (workplace.folder / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["key"] for row in rows] == ["2019/0.jpg", "2019/1.jpg", "2019/2.jpg"]
    assert [row["state"] for row in rows] == ["cropped", "skipped", "pending"]
    assert [each.name for each in workplace.folder.glob("*report*")] == ["report.csv"]


def test_report_that_cannot_be_written_ends_with_1_and_one_line(
    workplace: Workplace, ledger: JobLedger
) -> None:
    job = add_job(ledger)

    failed = workplace.call("jobs", str(job.id), "--report", "no/such/folder/report.csv")

    assert failed.exit_code == 1
    assert failed.stderr == (
        "metercrop: cannot write no/such/folder/report.csv (No such file or directory); "
        "name another file\n"
    )


def test_dry_run_shows_its_forecast_and_writes_its_contact_sheet(
    workplace: Workplace, ledger: JobLedger
) -> None:
    job = add_job(ledger, JobState.COMPLETE, ends=(ItemState.CROPPED,), dry_run=True)
    ledger.keep_forecast(job.id, FORECAST)
    ledger.keep_pictures(job.id, [SamplePicture(0, b"a small picture")])

    done = workplace.call("jobs", str(job.id), "--contact-sheet", "sheet.html")

    assert done.exit_code == 0
    assert "85.0% to 95.0%, 19 times of 20" in done.stdout
    assert "3 h 12 min" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "0.jpg" in (workplace.folder / "sheet.html").read_text()


def test_job_at_rest_is_followed_no_longer(workplace: Workplace, ledger: JobLedger) -> None:
    job = add_job(ledger, JobState.PAUSED)

    assert shown(workplace, str(job.id), "--follow")["state"] == "paused"


def test_following_ends_with_the_job(workplace: Workplace, ledger: JobLedger) -> None:
    job = add_job(ledger, JobState.RUNNING, ends=(ItemState.CROPPED,))
    with workplace.start("jobs", str(job.id), "--follow", "--json") as following:
        ledger.move(
            job.id, to=JobState.COMPLETE, only_from={JobState.RUNNING}, at=datetime.now(UTC)
        )
        out, _ = following.communicate(timeout=TIMEOUT_S)

    assert following.returncode == 0
    assert json.loads(out)["state"] == "complete"


def test_ctrl_c_leaves_the_job_alone(workplace: Workplace, ledger: JobLedger) -> None:
    job = add_job(ledger, JobState.RUNNING)
    with on_terminal(workplace, "jobs", str(job.id), "--follow") as following:
        following.shows("running")
        following.process.send_signal(signal.SIGINT)
        following.shows(f"metercrop: job {job.id} goes on without being followed")
        assert following.ended() == 130

    assert job_of(ledger, job.id).state is JobState.RUNNING


def test_terminal_gets_a_bar_and_what_became_of_the_objects(
    workplace: Workplace, ledger: JobLedger
) -> None:
    ends = (ItemState.CROPPED, ItemState.FAILED, ItemState.KEPT_ORIGINAL, ItemState.PENDING)
    job = add_job(ledger, JobState.RUNNING, ends=ends)
    with on_terminal(workplace, "jobs", str(job.id), "--follow") as following:
        following.shows("3/4")
        following.shows("cropped 1  kept 1  skipped 0  failed 1  saved 1.8 kB")
        ledger.move(job.id, to=JobState.PAUSED, only_from={JobState.RUNNING}, at=NOON)
        assert following.ended() == 0
