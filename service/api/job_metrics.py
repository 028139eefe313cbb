"""What Prometheus reads of batch jobs, from the ledger at each scrape: workers are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.core.errors import Unavailable
from service.core.job import Job, JobState
from service.ports import JobLedger
from service.usecases.jobs import eta_s, live_workers

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Values by their labels' values."""
SHOWN_STATES = frozenset({JobState.RUNNING, JobState.PAUSED})
MAX_SHOWN = 20
"""Each job is a series of its own; of many the ones that go first are shown."""


@dataclass(frozen=True, slots=True)
class JobCollector(Collector):
    """Families of gauges; none while the database does not answer, so that the rest is read."""

    jobs: JobLedger
    at: datetime

    def collect(self) -> Iterable[Metric]:
        try:
            shown = self.jobs.jobs_in(SHOWN_STATES)[:MAX_SHOWN]
            workers = live_workers(self.jobs, at=self.at)
        except Unavailable as error:
            structlog.get_logger().warning("metrics.jobs_unknown", code=error.code, why=str(error))
            return
        yield gauge("metercrop_workers", "Processes that run batch jobs.", [((), workers)])
        yield from _families(shown, self.at)


def job_metrics(jobs: JobLedger, *, at: datetime) -> bytes:
    """Text as `Metrics.text` gives it, to be put after that."""
    return text_of(JobCollector(jobs, at))


def text_of(collector: Collector) -> bytes:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


def _families(jobs: tuple[Job, ...], at: datetime) -> Iterator[Metric]:
    of_all: tuple[tuple[str, str, Callable[[Job], float]], ...] = (
        ("running", "1 while it runs, 0 while it is paused.", _runs),
        ("original_bytes", "Bytes of its photos as they were.", lambda job: job.original_bytes),
        ("stored_bytes", "Bytes of what is stored of them.", lambda job: job.stored_bytes),
        ("freed_bytes", "Bytes that are really no longer stored.", lambda job: job.freed_bytes),
    )
    for name, meaning, value in of_all:
        yield _of_jobs(name, meaning, [((str(job.id),), value(job)) for job in jobs])
    left = ((job, eta_s(job, at=at)) for job in jobs)
    foreseen = [((str(job.id),), seconds) for job, seconds in left if seconds is not None]
    yield _of_jobs("eta_seconds", "Seconds to its end at the rate so far.", foreseen)
    items = [((str(job.id), state), n) for job in jobs for state, n in _items(job).items()]
    meaning = "Objects of a job by what became of them."
    yield gauge("metercrop_job_items", meaning, items, labels=("job", "state"))


def _runs(job: Job) -> float:
    return float(job.state is JobState.RUNNING)


def _items(job: Job) -> dict[str, int]:
    counts = job.counts
    return {
        "pending": counts.pending,
        "cropped": counts.cropped,
        "kept_original": counts.kept_original,
        "failed": counts.failed,
        "skipped": counts.skipped,
    }


def _of_jobs(name: str, meaning: str, samples: Samples) -> Metric:
    return gauge(f"metercrop_job_{name}", meaning, samples, labels=("job",))


def gauge(name: str, meaning: str, samples: Samples, *, labels: tuple[str, ...] = ()) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=labels)
    for of, value in samples:
        family.add_metric(of, value)
    return family
