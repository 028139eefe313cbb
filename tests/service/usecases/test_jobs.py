"""Batch jobs as people ask for them: what can be done, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.core.errors import RequestRejected
from service.core.job import JobState, Mode
from service.usecases.jobs import (
    DEFAULT_GRACE_DAYS,
    DEFAULT_SAMPLE,
    JobRequest,
    JobRules,
    new_job,
)
from service.usecases.places import OwnStore
from tests.records import NOON

RULES = JobRules(OwnStore("s3://photos", "metercrop/"))
ARCHIVE = JobRequest(source="s3://archive/2019/")


def refusal_of(asked: JobRequest, rules: JobRules = RULES) -> RequestRejected:
    with pytest.raises(RequestRejected) as refused:
        new_job(asked, rules, at=NOON)
    return refused.value


def test_new_job_lists_its_objects_first_and_leaves_the_source_alone() -> None:
    job = new_job(ARCHIVE, RULES, at=NOON)

    assert (job.state, job.created_at, job.attempt) == (JobState.PREPARING, NOON, 0)
    assert (job.plan.mode, job.plan.destination) == (Mode.COPY, "")
    assert (job.plan.sample, job.plan.max_failed_fraction) == (None, 0.1)


def test_ids_of_jobs_follow_time() -> None:
    ids = [new_job(ARCHIVE, RULES, at=NOON).id for _ in range(5)]

    assert ids == sorted(ids)
    assert {each.version for each in ids} == {7}


def test_source_stays_thirty_days_unless_somebody_says_otherwise() -> None:
    set_by_the_service = replace(RULES, keep_originals_days=90)
    asked_for = replace(ARCHIVE, keep_originals_days=0)

    assert DEFAULT_GRACE_DAYS == 30
    assert new_job(ARCHIVE, RULES, at=NOON).plan.keep_originals_days == 30
    assert new_job(ARCHIVE, set_by_the_service, at=NOON).plan.keep_originals_days == 90
    assert new_job(asked_for, set_by_the_service, at=NOON).plan.keep_originals_days == 0


def test_dry_run_takes_a_sample_unless_its_size_is_said() -> None:
    some = new_job(replace(ARCHIVE, dry_run=True), RULES, at=NOON)
    few = new_job(replace(ARCHIVE, dry_run=True, sample=7, mode=Mode.REPLACE), RULES, at=NOON)

    assert some.plan.sample == DEFAULT_SAMPLE == 400
    assert few.plan.sample == 7


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (JobRequest(), "source, manifest"),
        (replace(ARCHIVE, sample=0), "sample"),
        (replace(ARCHIVE, sample=10_001), "sample"),
        (replace(ARCHIVE, max_failed_fraction=-0.1), "max_failed_fraction"),
        (replace(ARCHIVE, max_failed_fraction=1.1), "max_failed_fraction"),
        (replace(ARCHIVE, max_failed_fraction=float("nan")), "max_failed_fraction"),
        (replace(ARCHIVE, priority=1_001), "priority"),
        (replace(ARCHIVE, priority=-1_001), "priority"),
        (replace(ARCHIVE, max_per_second=0.0), "max_per_second"),
        (replace(ARCHIVE, max_per_second=float("inf")), "max_per_second"),
        (replace(ARCHIVE, keep_originals_days=-1), "keep_originals_days"),
        (replace(ARCHIVE, keep_originals_days=36_501), "keep_originals_days"),
        (JobRequest(source="archive/2019"), "source"),
        (JobRequest(source="https://archive/2019"), "source"),
        (JobRequest(source="file://relative/folder"), "source"),
        (JobRequest(source="s3://"), "source"),
        (JobRequest(source="s3://archive/a\x00b"), "source"),
        (JobRequest(source="s3://archive/\ud800"), "source"),
        (JobRequest(source="s3://archive/" + "x" * 5_000), "source"),
        (replace(ARCHIVE, destination="nowhere"), "destination"),
        (JobRequest(manifest="list.csv"), "manifest"),
        (JobRequest(manifest="s3://archive"), "manifest"),
        (JobRequest(manifest="file:///lists/"), "manifest"),
    ],
)
def test_what_cannot_be_done_is_refused_by_the_fields_name(asked: JobRequest, names: str) -> None:
    refusal = refusal_of(asked)

    assert refusal.code == "field.invalid"
    assert str(refusal).startswith(names)


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("s3://archive/2019/", "s3://archive/2019/crops"),
        ("s3://archive/2019/", "s3://archive/2019"),
        ("s3://archive/2019", "s3://archive/2019-crops"),
        ("s3://archive", "s3://archive/crops/"),
        ("s3://archive/2019/", "s3://archive"),
        ("s3://archive/crops/2019/", "s3://archive/crops"),
        ("file:///photos", "file:///photos"),
        ("file:///photos", "file:///photos/crops"),
        ("file:///photos/2019", "file:///photos"),
    ],
)
def test_crops_never_go_where_the_job_looks_for_photos(source: str, destination: str) -> None:
    refusal = refusal_of(JobRequest(source=source, destination=destination))

    assert refusal.code == "job.overlap"
    assert str(refusal).startswith("destination")


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("s3://archive/2019/", "s3://archive/2019-crops"),
        ("s3://archive/2019-old/", "s3://archive/2019"),
        ("s3://archive", "s3://archive-crops"),
        ("file:///photos", "file:///photos-crops"),
        ("file:///photos/2019", "s3://photos/2019"),
    ],
)
def test_crops_may_go_beside_the_photos(source: str, destination: str) -> None:
    job = new_job(JobRequest(source=source, destination=destination), RULES, at=NOON)

    assert job.plan.destination == destination


@pytest.mark.parametrize(
    ("source", "own_store"),
    [
        ("s3://photos", OwnStore("s3://photos", "metercrop/")),
        ("s3://photos/meter", OwnStore("s3://photos", "metercrop/")),
        ("s3://photos/metercrop/originals/", OwnStore("s3://photos", "metercrop/")),
        ("s3://photos/2019/", OwnStore("s3://photos", "")),
        ("file:///home", OwnStore("file:///home/metercrop-data/objects", "")),
        ("file:///home/objects/crops", OwnStore("file:///home/objects", "")),
    ],
)
def test_what_metercrop_keeps_itself_is_no_source(source: str, own_store: OwnStore) -> None:
    refusal = refusal_of(JobRequest(source=source), JobRules(own_store))

    assert refusal.code == "job.overlap"
    assert str(refusal).startswith("source")


def test_source_beside_the_own_store_is_fine() -> None:
    new_job(JobRequest(source="s3://photos/archive/"), RULES, at=NOON)
    new_job(
        JobRequest(source="file:///home/photos"),
        JobRules(OwnStore("file:///home/objects", "")),
        at=NOON,
    )


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (JobRequest(source="file:///etc"), "source: file:///etc"),
        (JobRequest(source="file:///mnt/photos-of-others"), "source"),
        (JobRequest(source="file:///mnt"), "source"),
        (JobRequest(source="file:///"), "source"),
        (JobRequest(manifest="file:///mnt/list.csv"), "manifest"),
        (replace(ARCHIVE, destination="file:///srv"), "destination"),
    ],
)
def test_job_may_name_no_folder_beside_those_that_it_is_given(
    asked: JobRequest, names: str
) -> None:
    refusal = refusal_of(asked, replace(RULES, folders=("/mnt/photos", "/data/")))

    assert refusal.code == "field.invalid"
    assert str(refusal).startswith(names)
    assert "METERCROP_JOB_FOLDERS" in str(refusal)


@pytest.mark.parametrize(
    "asked",
    [
        JobRequest(source="file:///mnt/photos", destination="file:///data/crops"),
        JobRequest(source="file:///mnt/photos/2019/", manifest="file:///data/lists/2019.csv"),
        ARCHIVE,
    ],
)
def test_job_keeps_the_folders_that_it_may_name(asked: JobRequest) -> None:
    folders = ("/mnt/photos", "/data/")

    assert new_job(asked, replace(RULES, folders=folders), at=NOON).plan.folders == folders
    assert new_job(asked, RULES, at=NOON).plan.folders is None
