"""An archive of thousands of objects, many broken, with the bundled model: kills, a pause, again.

Takes minutes, so `make test` leaves it out; `make test-long` runs it.
"""

from __future__ import annotations

import csv
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from service.core.job import ENDED, ItemState, Job, JobState, Step
from service.usecases.jobs import steered
from tests.archives import ArchiveEntry, make_archive, meter_photos, tally
from tests.servers.s3 import S3Server
from tests.service.commands import Workplace
from tests.sites import Site, opened_site

OBJECTS = int(os.environ.get("OBJECTS", "2000"))
LONGER_PX = 800
MAX_BYTES = 2_000_000
PATIENCE_S = 1800.0


def test_an_archive_survives_three_kills_and_a_pause_and_is_skipped_the_second_time(
    tmp_path: Path, s3_server: S3Server, postgresql_url: str
) -> None:
    photos = meter_photos(longer_px=LONGER_PX)
    entries = tuple(make_archive(photos, objects=OBJECTS, oversized_bytes=MAX_BYTES + 1))
    place = Workplace(tmp_path, {"METERCROP_MAX_BYTES": str(MAX_BYTES)})
    with opened_site(place, s3_server, postgresql_url) as site:
        for entry in entries:
            site.archive.put(entry.key, entry.content, media_type="application/octet-stream")
        job = site.created("--max-failed-fraction", "0.5")
        ended = survived(site, job)
        assert_report_is_exact(site, ended, entries)
        with site.worker():
            again = site.once(site.created(), is_over, within_s=PATIENCE_S)
    assert again.counts.skipped == again.counts.total == len(entries)


def is_over(job: Job) -> bool:
    return job.state in ENDED


def has_finished(share: float) -> Callable[[Job], bool]:
    return lambda job: job.counts.finished >= share * OBJECTS


def survived(site: Site, job: Job) -> Job:
    """The job at its end, after a worker was killed three times and a pause."""
    random = Random(0)
    for share in sorted(random.uniform(0.1, 0.8) for _ in range(3)):
        with ExitStack() as workers:
            worker = workers.enter_context(site.worker())
            site.once(job, has_finished(share), within_s=PATIENCE_S)
            worker.kill()
            worker.wait()
    with site.worker():
        site.once(job, has_finished(0.85), within_s=PATIENCE_S)
        steered(site.jobs, job.id, step=Step.PAUSE, at=datetime.now(UTC))
        time.sleep(3.0)
        resting = site.job(job.id)
        assert resting.state is JobState.PAUSED
        assert resting.counts.pending > 0
        steered(site.jobs, job.id, step=Step.RESUME, at=datetime.now(UTC))
        return site.once(job, is_over, within_s=PATIENCE_S)


def assert_report_is_exact(site: Site, job: Job, entries: tuple[ArchiveEntry, ...]) -> None:
    """Of every object what it deserves, once; and records, objects, sums and report agree."""
    expected = {f"meters/{entry.key}": entry.expected for entry in entries}
    sizes = {f"meters/{entry.key}": len(entry.content) for entry in entries}
    items = site.items(job)
    wrong = [item for item in items if not expected[item.object.key].is_met_by(item)]
    assert wrong == []
    assert len(items) == len({item.object.key for item in items}) == len(entries)
    due = tally(entry.expected for entry in entries)
    counts = job.counts
    assert job.state is JobState.COMPLETE
    assert (counts.total, counts.failed, counts.skipped) == (due.total, due.failed, due.skipped)
    assert counts.cropped + counts.kept_original == due.photos

    records = {record.id: record for record in site.records()}
    done = [item for item in items if item.state in {ItemState.CROPPED, ItemState.KEPT_ORIGINAL}]
    assert Counter(item.photo_id for item in done) == Counter(records.keys())
    assert all(item.original_bytes == sizes[item.object.key] for item in done)
    stored = {found.key: found.bytes for found in site.store.objects()}
    kept = (each for record in records.values() for each in (record.stored, record.context))
    assert stored == {each.key: each.bytes for each in kept if each is not None}
    assert job.stored_bytes == sum(stored.values())
    assert_csv_says_the_same(site, job)


def assert_csv_says_the_same(site: Site, job: Job) -> None:
    report = site.workplace.folder / "report.csv"
    written = site.workplace.run("jobs", str(job.id), "--report", str(report))
    assert written.returncode == 0, written.stderr
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["key"], row["state"]) for row in rows] == [
        (item.object.key, item.state.value) for item in site.items(job)
    ]
