"""A job's list is frozen: from a folder, from a manifest, or a sample of either."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import pytest

from service.adapters.archives import OpenedArchives
from service.adapters.sql.jobs import SqlJobLedger
from service.core.archive import is_cut
from service.core.job import ItemState, Job, JobPlan, JobState, Mode, Step
from service.usecases.jobs import steered
from service.usecases.prepare_job import Preparation
from tests.jobs import new_job
from tests.records import NOON
from tests.servers.postgres import opened


@dataclass(frozen=True, slots=True)
class Office:
    folder: Path
    jobs: SqlJobLedger
    preparation: Preparation

    @property
    def address(self) -> str:
        return f"file://{self.folder}"

    def fill(self, *keys: str) -> None:
        for key in keys:
            path = self.folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(key.encode())

    def prepared(
        self,
        source: str | None = None,
        manifest: str | None = None,
        *,
        sample: int | None = None,
        confirm: bool = False,
        folders: tuple[str, ...] | None = None,
    ) -> Job:
        plan = JobPlan(source, manifest, Mode.COPY, "", sample=sample, confirm=confirm)
        job = new_job(plan=replace(plan, folders=folders))
        self.jobs.create(job)
        self.preparation.prepare(job.id)
        return self.job(job)

    def job(self, job: Job) -> Job:
        found = self.jobs.job(job.id)
        assert found is not None
        return found

    def keys(self, job: Job) -> list[str]:
        return [item.object.key for item in self.jobs.every_item(job.id)]


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Iterator[Office]:
    (tmp_path / "archive").mkdir()
    with opened(sqlite_url) as engine, ThreadPoolExecutor(4) as pool:
        jobs = SqlJobLedger(engine)
        preparation = Preparation(jobs, OpenedArchives(None), pool, lambda: NOON, Event())
        yield Office(tmp_path / "archive", jobs, preparation)


def test_a_folder_is_listed_with_size_and_etag(office: Office) -> None:
    office.fill("2026/b.jpg", "2026/a.jpg", "c.jpg")

    job = office.prepared(office.address)

    assert job.state is JobState.READY
    assert office.keys(job) == ["2026/a.jpg", "2026/b.jpg", "c.jpg"]
    first = next(office.jobs.every_item(job.id))
    assert first.object.bytes == len("2026/a.jpg")
    assert first.object.etag
    assert (job.found_objects, job.found_bytes) == (3, 25)


def test_a_job_that_is_to_be_confirmed_waits(office: Office) -> None:
    office.fill("a.jpg")

    job = office.prepared(office.address, confirm=True)

    assert job.state is JobState.AWAITING_CONFIRMATION


def test_a_manifest_names_what_is_there_and_what_is_not(office: Office, tmp_path: Path) -> None:
    office.fill("a.jpg", "b.jpg")
    manifest = tmp_path / "list.txt"
    manifest.write_text(f"{office.address}/a.jpg\n{office.address}/gone.jpg\n")

    job = office.prepared(manifest=f"file://{manifest}")

    items = list(office.jobs.every_item(job.id))
    assert [(item.state, item.code) for item in items] == [
        (ItemState.PENDING, None),
        (ItemState.FAILED, "object.gone"),
    ]


def test_bare_keys_of_a_manifest_are_below_the_source(office: Office, tmp_path: Path) -> None:
    office.fill("2026/a.jpg")
    manifest = tmp_path / "list.txt"
    manifest.write_text("2026/a.jpg\n")

    job = office.prepared(office.address, f"file://{manifest}")

    (item,) = office.jobs.every_item(job.id)
    assert item.state is ItemState.PENDING
    assert item.object.location == f"{office.address}/2026/a.jpg"


def test_a_sample_is_a_part_and_the_whole_is_told(office: Office) -> None:
    office.fill(*(f"{number:03}.jpg" for number in range(50)))

    job = office.prepared(office.address, sample=10)

    keys = office.keys(job)
    assert len(set(keys)) == job.counts.total == 10
    assert keys != sorted(keys)  # so that the first of them are a sample too
    assert (job.found_objects, job.found_bytes) == (50, 350)


def test_listing_goes_on_behind_what_a_crash_left(office: Office) -> None:
    office.fill("a.jpg", "b.jpg", "c.jpg")
    job = new_job(plan=JobPlan(office.address, None, Mode.COPY, ""))
    office.jobs.create(job)
    found = list(office.preparation.archives.opened(office.address).objects())
    office.jobs.add_items(job.id, found[:2], listed_after="b.jpg")

    office.preparation.prepare(job.id)

    assert office.keys(job) == ["a.jpg", "b.jpg", "c.jpg"]
    assert office.job(job).counts.total == 3


def test_a_cancelled_job_is_listed_no_further(office: Office) -> None:
    office.fill("a.jpg")
    job = new_job(plan=JobPlan(office.address, None, Mode.COPY, ""))
    office.jobs.create(job)
    steered(office.jobs, job.id, step=Step.CANCEL, at=NOON)

    office.preparation.prepare(job.id)

    assert office.keys(job) == []
    assert office.job(job).state is JobState.CANCELLING


def test_a_manifest_that_is_none_fails_the_job_with_its_line(
    office: Office, tmp_path: Path
) -> None:
    manifest = tmp_path / "list.csv"
    manifest.write_text("archive,a.jpg\nonly-one-column\n")

    job = office.prepared(manifest=f"file://{manifest}")

    assert job.state is JobState.FAILED
    assert "2" in (job.error or "")


def test_a_manifest_names_nothing_outside_the_folders_of_its_job(
    office: Office, tmp_path: Path
) -> None:
    office.fill("a.jpg")
    manifest = tmp_path / "list.txt"
    manifest.write_text(f"{office.address}/a.jpg\n/etc/passwd\n")

    refused = office.prepared(manifest=f"file://{manifest}", folders=(f"{office.folder}",))
    free = office.prepared(manifest=f"file://{manifest}")

    assert refused.state is JobState.FAILED
    assert refused.error is not None
    assert "file:///etc/passwd" in refused.error
    assert "METERCROP_JOB_FOLDERS" in refused.error
    assert office.keys(free) == ["a.jpg", "passwd"]


def test_addresses_that_no_index_can_hold_are_cut_and_stay_apart(office: Office) -> None:
    deep = "/".join(["x" * 200] * 14)
    office.fill("a.jpg")
    with chdir(office.folder):
        for folder in deep.split("/"):
            Path(folder).mkdir()
            os.chdir(folder)
        Path("b.jpg").touch()
        Path("c.jpg").touch()

    job = office.prepared(office.address)

    first, *cut = office.keys(job)
    assert (job.state, first, job.counts.total) == (JobState.READY, "a.jpg", 3)
    assert len(set(cut)) == 2
    assert all(is_cut(key) and key.startswith("x" * 200 + "/x") for key in cut)
