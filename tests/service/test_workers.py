"""Batch jobs as they are run: real workers, a real PostgreSQL, a real S3 server, and kills."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.core.job import ENDED, ItemState, Job, JobState, Step
from service.usecases.jobs import steered
from tests.records import NOON
from tests.servers.s3 import S3Server
from tests.service.commands import TIMEOUT_S, workplace_in
from tests.sites import Site, opened_site


@pytest.fixture
def site(tmp_path: Path, s3_server: S3Server, postgresql_url: str) -> Iterator[Site]:
    with opened_site(workplace_in(tmp_path), s3_server, postgresql_url) as site:
        yield site


def assert_each_was_handled_once(site: Site, job: Job, keys: tuple[str, ...]) -> None:
    items, records = site.items(job), site.records()
    assert [item.object.key for item in items] == [f"meters/{key}" for key in keys]
    assert {item.state for item in items} == {ItemState.CROPPED}
    assert Counter(item.photo_id for item in items) == {record.id: 1 for record in records}
    assert sorted(found.key for found in site.store.objects()) == sorted(
        key for record in records for key in record.keys
    )
    assert job.counts.cropped == job.counts.total == len(keys)
    assert job.original_bytes == sum(record.original.bytes for record in records)
    assert job.stored_bytes == sum(record.kept_bytes for record in records)


def at_rest(site: Site, job: Job) -> Job:
    """The job once a second has brought nothing new: what was begun has been settled."""
    before = site.job(job.id)
    while True:
        time.sleep(1.5)
        now = site.job(job.id)
        if now == before:
            return now
        before = now


def test_a_job_survives_a_killed_worker_and_one_that_hangs_and_comes_back(site: Site) -> None:
    keys = site.filled(600)
    with ExitStack() as workers:
        killed = workers.enter_context(site.worker())
        hanging = workers.enter_context(site.worker())
        job = site.created("--max-per-second", "80")
        site.once(job, lambda job: job.counts.finished >= 60)
        hanging.send_signal(signal.SIGSTOP)
        killed.kill()
        workers.enter_context(site.worker())
        half = site.once(job, lambda job: job.counts.finished >= 300)
        assert half.state is JobState.RUNNING
        hanging.send_signal(signal.SIGCONT)
        ended = site.once(job, lambda job: job.state in ENDED)

    assert ended.state is JobState.COMPLETE
    assert_each_was_handled_once(site, ended, keys)


def test_a_paused_job_rests_and_goes_on_where_it_was(site: Site) -> None:
    keys = site.filled(300)
    job = site.created("--max-per-second", "60")
    with site.worker():
        site.once(job, lambda job: job.counts.finished >= 30)
        steered(site.jobs, job.id, step=Step.PAUSE, at=NOON)
        resting = at_rest(site, job)
        assert resting.state is JobState.PAUSED
        assert 0 < resting.counts.finished < len(keys)
        steered(site.jobs, job.id, step=Step.RESUME, at=NOON)
        ended = site.once(job, lambda job: job.state in ENDED)

    assert_each_was_handled_once(site, ended, keys)


def test_a_second_job_skips_all_without_reading_any(site: Site) -> None:
    keys = site.filled(20)
    first = site.created()
    with site.worker():
        site.once(first, lambda job: job.state in ENDED)
        again = site.once(site.created(), lambda job: job.state in ENDED)

    assert again.counts.skipped == len(keys)
    assert {item.code for item in site.items(again)} == {"already_done"}
    assert len(site.records()) == len(keys)


def test_a_cancelled_job_leaves_the_rest_untouched(site: Site) -> None:
    keys = site.filled(200)
    job = site.created("--max-per-second", "40")
    with site.worker():
        site.once(job, lambda job: job.counts.finished >= 10)
        steered(site.jobs, job.id, step=Step.CANCEL, at=NOON)
        ended = site.once(job, lambda job: job.state in ENDED)

    assert ended.state is JobState.CANCELLED
    assert 10 <= ended.counts.cropped < len(keys)
    records = site.records()
    assert len(records) == ended.counts.cropped
    assert {found.key for found in site.store.objects()} == {
        key for record in records for key in record.keys
    }


def test_too_many_failures_end_a_job_and_the_failed_can_be_tried_again(site: Site) -> None:
    keys = site.filled(150)
    job = site.created("--confirm")
    with site.worker():
        site.once(job, lambda job: job.state is JobState.AWAITING_CONFIRMATION)
        for key in keys:
            site.archive.delete(key)
        steered(site.jobs, job.id, step=Step.CONFIRM, at=NOON)
        failed = site.once(job, lambda job: job.state in ENDED)
        assert failed.state is JobState.FAILED
        assert "max_failed_fraction" in (failed.error or "")
        gone = [item for item in site.items(job) if item.state is ItemState.FAILED]
        assert {item.code for item in gone} == {"object.gone"}

        site.filled(150)
        steered(site.jobs, job.id, step=Step.RETRY_FAILED, at=NOON)
        again = site.once(job, lambda job: job.state in ENDED)

    assert again.state is JobState.COMPLETE
    assert_each_was_handled_once(site, again, keys)


def test_a_worker_that_is_stopped_hands_over_at_once(site: Site) -> None:
    keys = site.filled(300)
    job = site.created("--max-per-second", "100")
    with site.worker() as leaving:
        site.once(job, lambda job: job.counts.finished >= 50)
        leaving.terminate()
        assert leaving.wait(timeout=TIMEOUT_S) == 0
    with site.worker():
        ended = site.once(job, lambda job: job.state in ENDED)

    assert_each_was_handled_once(site, ended, keys)
