"""A utility's site: an archive in one bucket, the service's store in another, and workers."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from service.adapters.s3 import S3Store
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.core.geometry import Box
from service.core.job import Item, Job
from service.core.record import PhotoFilter, Record
from tests.archives import numbered
from tests.painted import painted_photo
from tests.servers.postgres import opened
from tests.servers.s3 import S3Server
from tests.service.commands import TIMEOUT_S, Workplace

PAINTED = Box(120, 90, 200, 130)
ROOMY_S = 240.0


@dataclass(frozen=True, slots=True)
class Site:
    """A database, an archive in one bucket, the service's store in another."""

    workplace: Workplace
    jobs: SqlJobLedger
    ledger: SqlLedger
    archive: S3Store
    store: S3Store

    @property
    def source(self) -> str:
        return f"s3://{self.archive.bucket}/{self.archive.prefix}"

    def filled(self, count: int) -> tuple[str, ...]:
        """The keys of so many photos, no two alike."""
        photo = painted_photo(size=(320, 240), regions=(PAINTED,))
        keys = tuple(f"2026/{number:05}.jpg" for number in range(count))
        for number, key in enumerate(keys):
            self.archive.put(key, numbered(photo, number), media_type="image/jpeg")
        return keys

    def created(self, *options: str, source: str = "") -> Job:
        made = self.workplace.run("reprocess", source or self.source, "--json", *options)
        assert made.returncode == 0, made.stderr
        return self.job(UUID(json.loads(made.stdout)["id"]))

    def job(self, job_id: UUID) -> Job:
        job = self.jobs.job(job_id)
        assert job is not None
        return job

    def once(self, job: Job, holds: Callable[[Job], bool], *, within_s: float = ROOMY_S) -> Job:
        """The job as soon as that holds of it."""
        deadline = time.monotonic() + within_s
        while not holds(now := self.job(job.id)):
            assert time.monotonic() < deadline, f"{now.state} {now.counts} {now.error}"
            time.sleep(0.05)
        return now

    def until_alive(self, workers: int) -> None:
        """Until so many have told that they live."""
        deadline = time.monotonic() + ROOMY_S
        while len(self.jobs.workers()) < workers:
            assert time.monotonic() < deadline, "no worker"
            time.sleep(0.05)

    def items(self, job: Job) -> tuple[Item, ...]:
        return tuple(self.jobs.every_item(job.id))

    def records(self) -> tuple[Record, ...]:
        return self.ledger.page(PhotoFilter(), limit=10_000).items

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[str]]:
        with (self.workplace.folder / "workers.log").open("a") as log:
            process = self.workplace.start("worker", output=log)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(timeout=TIMEOUT_S)


@contextmanager
def opened_site(workplace: Workplace, s3_server: S3Server, database_url: str) -> Iterator[Site]:
    """With new buckets; the database has to be there and migrated."""
    bucket, own = s3_server.new_bucket(), s3_server.new_bucket()
    environment = s3_server.environment(f"s3://{own}/photos")
    settings = {**workplace.settings, "METERCROP_DATABASE_URL": database_url, **environment}
    with opened(database_url) as engine:
        yield Site(
            replace(workplace, settings=settings),
            SqlJobLedger(engine),
            SqlLedger(engine),
            s3_server.store(f"s3://{bucket}/meters"),
            s3_server.store(f"s3://{own}/photos"),
        )
