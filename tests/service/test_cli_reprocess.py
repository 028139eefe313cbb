"""Batch jobs as people start them: left to workers, or run to their end in one process."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from service.adapters.folder import FolderStore
from service.adapters.sql.jobs import SqlJobLedger
from service.cli.job_report import followed
from service.core.job import Job, JobState
from service.ports import JobLedger
from tests.jobs import living_worker
from tests.painted import BLUE, painted_photo
from tests.servers.postgres import opened
from tests.service.commands import TIMEOUT_S, Workplace, workplace_in
from tests.service.terminals import on_terminal


@pytest.fixture
def workplace(tmp_path: Path, sqlite_url: str) -> Workplace:
    return workplace_in(tmp_path, METERCROP_DATABASE_URL=sqlite_url)


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[JobLedger]:
    with opened(sqlite_url) as engine:
        yield SqlJobLedger(engine)


def paint(workplace: Workplace, count: int) -> Path:
    """An archive of so many photos that are cropped, one that is kept, and one that is broken."""
    folder = workplace.folder / "archive"
    (folder / "2019").mkdir(parents=True)
    for number in range(count):
        (folder / "2019" / f"{number:03d}.jpg").write_bytes(painted_photo(number))
    (folder / "doubtful.jpg").write_bytes(painted_photo(count, colour=BLUE))
    (folder / "broken.jpg").write_bytes(b"this was a photo once")
    return folder


def only_job(ledger: JobLedger) -> Job:
    (job,) = ledger.jobs(limit=2).jobs
    return job


def account(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    job: dict[str, Any] = json.loads(done.stdout)
    return job


def objects(workplace: Workplace) -> set[str]:
    """Keys in the service's store, which is made with its first object."""
    folder = workplace.folder / "metercrop-data" / "objects"
    return {stored.key for stored in FolderStore(folder).objects()} if folder.exists() else set()


def photos_in_store(workplace: Workplace) -> set[str]:
    """Keys of crops and kept originals."""
    return {key for key in objects(workplace) if not key.startswith("context/")}


def test_job_is_left_to_workers_and_none_being_there_is_said(
    workplace: Workplace, ledger: JobLedger
) -> None:
    folder = paint(workplace, 1)

    done = workplace.call("reprocess", "archive", "--mode", "replace", "--priority", "3")

    job = only_job(ledger)
    assert done.exit_code == 0
    assert f"metercrop jobs {job.id}" in done.stdout
    assert done.stderr == "metercrop: no worker is running; `metercrop worker` starts one\n"
    assert (job.state, job.plan.mode, job.plan.priority) == (JobState.PREPARING, "replace", 3)
    assert job.plan.source == f"file://{folder}"


def test_nothing_is_said_of_workers_while_one_lives(
    workplace: Workplace, ledger: JobLedger
) -> None:
    paint(workplace, 1)
    ledger.beat(living_worker())

    done = workplace.call("reprocess", "archive", "--json")

    assert done.stderr == ""
    assert json.loads(done.stdout)["id"] == str(only_job(ledger).id)


def test_every_choice_reaches_the_job(workplace: Workplace, ledger: JobLedger) -> None:
    (workplace.folder / "list.csv").write_text("archive,one.jpg\n")
    choices = "--sample 9 --confirm --max-failed-fraction 0.5 --max-per-second 2.5"
    grace = "--keep-originals-days 7 --destination s3://crops/2019"

    workplace.call("reprocess", "--manifest", "list.csv", *choices.split(), *grace.split())

    plan = only_job(ledger).plan
    assert (plan.source, plan.manifest) == (None, f"file://{workplace.folder}/list.csv")
    assert (plan.sample, plan.confirm, plan.max_failed_fraction) == (9, True, 0.5)
    assert (plan.max_per_second, plan.keep_originals_days) == (2.5, 7)
    assert plan.destination == "s3://crops/2019"


def test_grace_of_the_settings_is_the_jobs_unless_it_says_another(
    tmp_path: Path, sqlite_url: str, ledger: JobLedger
) -> None:
    settings = {"METERCROP_DATABASE_URL": sqlite_url, "METERCROP_KEEP_ORIGINALS_DAYS": "90"}
    workplace = workplace_in(tmp_path, **settings)

    assert workplace.call("reprocess", "s3://archive/2019/").exit_code == 0

    assert only_job(ledger).plan.keep_originals_days == 90


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("no-such-folder",),
        ("--manifest", "no-such-list.csv"),
        ("gopher://archive",),
        ("archive", "--mode", "move"),
        ("archive", "--sample", "0"),
        ("archive", "--max-failed-fraction", "2"),
        ("archive", "--destination", "archive/crops"),
        ("archive", "--store-url", "file:///"),
        ("archive", "--contact-sheet", "sheet.html"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_no_job(
    workplace: Workplace, ledger: JobLedger, arguments: tuple[str, ...]
) -> None:
    paint(workplace, 0)

    refused = workplace.call("reprocess", *arguments)

    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "Error" in refused.stderr
    assert ledger.jobs(limit=1).jobs == ()


def test_archive_is_gone_through_here_and_a_second_time_nothing_is_left_to_do(
    workplace: Workplace,
) -> None:
    folder = paint(workplace, 3)
    before = {path: path.read_bytes() for path in folder.rglob("*.jpg")}

    shown = workplace.run("reprocess", "archive", "--wait")
    again = account(workplace.run("reprocess", "archive", "--wait", "--json"))

    assert shown.returncode == 0, shown.stderr
    rows = {line[:17].strip(): line[17:].split() for line in shown.stdout.splitlines()}
    assert rows["job"][0] == "complete"
    assert rows["of"][0] == "copy"
    assert f"file://{folder}"[:40] in shown.stdout
    assert (rows["cropped"], rows["kept as they came"]) == (["3"], ["1"])
    assert rows["failed"][0] == "1"
    assert "--report FILE says why" in " ".join(shown.stdout.split())
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert again["counts"] == {
        "total": 5, "cropped": 0, "kept_original": 0, "failed": 0, "skipped": 5,
    }  # fmt: skip
    assert photos_in_store(workplace) == {
        "archive/archive/2019/000.jpg",
        "archive/archive/2019/001.jpg",
        "archive/archive/2019/002.jpg",
        "archive/archive/doubtful.jpg",
    }
    assert len(objects(workplace)) == 4 + 3  # each crop has its context picture
    assert {path: path.read_bytes() for path in folder.rglob("*.jpg")} == before


def test_dry_run_forecasts_shows_the_photos_and_writes_nothing(workplace: Workplace) -> None:
    paint(workplace, 3)
    sheet = ("--contact-sheet", "sheet.html")

    done = workplace.run("reprocess", "archive", "--dry-run", "--wait", *sheet)

    assert done.returncode == 0, done.stderr
    assert re.search(r"^forecast\nobjects +5 ", done.stdout, re.MULTILINE)
    assert re.search(r"^saved +\d\d\.\d% ", done.stdout, re.MULTILINE)
    assert "data:image/jpeg;base64," in (workplace.folder / "sheet.html").read_text()
    assert objects(workplace) == set()


def test_archive_that_cannot_be_listed_ends_with_1_and_the_reason(workplace: Workplace) -> None:
    (workplace.folder / "list.csv").write_bytes(b"\xff\xfe\x00 no list at all\n")

    failed = workplace.run("reprocess", "--manifest", "list.csv", "--wait")

    assert failed.returncode == 1
    assert "failed: " in failed.stderr.splitlines()[-1]
    assert "the manifest can't be used" in failed.stderr


def test_interrupted_job_goes_on_with_the_next_worker(
    workplace: Workplace, ledger: JobLedger
) -> None:
    paint(workplace, 38)
    slow = ("--max-per-second", "6")
    with on_terminal(workplace, "reprocess", "archive", "--wait", *slow) as running:
        running.shows(re.compile("cropped [1-9]"))
        running.process.send_signal(signal.SIGINT)
        job = only_job(ledger)
        running.shows(f"`metercrop worker` goes on with job {job.id}")
        assert running.ended() == 130
    assert "━" in running.seen
    assert 0 < only_job(ledger).counts.finished < 40

    with workplace.start("worker") as worker:
        ended = followed(ledger, job.id, stop=Event())
        worker.send_signal(signal.SIGTERM)
        out, log = worker.communicate(timeout=TIMEOUT_S)

    counts = ended.counts
    assert ended.state is JobState.COMPLETE
    assert (counts.total, counts.cropped, counts.failed) == (40, 38, 1)
    assert worker.returncode == 0
    assert "metercrop works on the jobs of " in out
    assert "Traceback" not in log
    assert len(photos_in_store(workplace)) == 39
    assert len(objects(workplace)) == 39 + 38  # each crop has its context picture
