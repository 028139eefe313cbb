"""`GET /health`: whether the service can work, what it works with, and how it is loaded."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from service.api.parts import Parts
from service.api.probes import CheckAnswer
from service.api.running import Here, Running
from service.api.savings import drift_answer
from service.core.budget import Budget
from service.core.drift import MIN_PHOTOS
from service.core.errors import Unavailable
from service.core.job import ENDED, JobState
from service.dashboard.drift import ModelDrift, model_drifts
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.visitor import Reading
from service.usecases.jobs import live_workers

DRIFT_DAYS = timedelta(days=30)
GRAFANA = "grafana.json"
PACKAGES = ("onnxruntime", "onnxruntime-gpu", "numpy", "pillow", "sqlalchemy", "fastapi")
GOING = tuple(state for state in JobState if state not in ENDED)
WORKS = {
    "model": "ran an inference",
    "store": "wrote, read back and deleted an object",
    "database": "answered a query",
}
"""What each part has just done, where it did not fail."""


@dataclass(frozen=True, slots=True)
class JobsNow:
    """`failure` says why the counts are not known."""

    by_state: Mapping[JobState, int]
    workers: int = 0
    failure: str | None = None

    @property
    def are_waited_for(self) -> bool:
        """There is work, and nobody there to do it."""
        working = (JobState.PREPARING, JobState.READY, JobState.RUNNING, JobState.CANCELLING)
        return not self.workers and any(self.by_state.get(state) for state in working)


@dataclass(frozen=True, slots=True)
class LiveHealth:
    at: datetime
    checks: Sequence[CheckAnswer]
    admission: Budget
    memory: Budget
    jobs: JobsNow

    @property
    def is_ready(self) -> bool:
        return all(check.failure is None for check in self.checks)


def health_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/health", health, methods=["GET", "HEAD"], response_class=HTMLResponse)
    router.add_api_route("/health/live", live, response_class=HTMLResponse)
    router.add_api_route(f"/health/{GRAFANA}", grafana, response_class=Response)
    return router


async def health(request: Request, visitor: Reading, running: Here) -> HTMLResponse:
    parts = running.parts
    drifts, unknown = await running.in_thread(lambda: drift_now(parts))
    values = {
        "live": await live_health(running),
        "drifts": drifts,
        "drift_unknown": unknown,
        "drift_days": DRIFT_DAYS.days,
        "min_photos": MIN_PHOTOS,
        "works": WORKS,
        "model": parts.segmenter.description,
        "optimizer": parts.intake.optimizer,
        "keep_originals": parts.intake.keep_originals,
        "limits": parts.limits,
        "megapixels": parts.max_concurrent_megapixels,
        "versions": versions(),
    }
    return pages_on(request).page(
        request, "health.html", values, visitor=visitor, section=Section.HEALTH
    )


async def live(request: Request, visitor: Reading, running: Here) -> HTMLResponse:
    """The part of the page that is asked for again every few seconds."""
    values = {"live": await live_health(running), "works": WORKS}
    return pages_on(request).page(request, "health_live.html", values, visitor=visitor)


def grafana(_visitor: Reading) -> Response:
    """The example dashboard over what /metrics says, to be imported into Grafana."""
    content = files("service.dashboard").joinpath(GRAFANA).read_bytes()
    headers = {"Content-Disposition": 'attachment; filename="metercrop-grafana.json"'}
    return Response(content, media_type="application/json", headers=headers)


async def live_health(running: Running) -> LiveHealth:
    checks = [CheckAnswer.of(check) for check in await running.readiness.checks()]
    jobs = await running.in_thread(lambda: jobs_now(running.parts))
    at = running.parts.intake.clock()
    return LiveHealth(at, checks, running.admission.budget, running.memory, jobs)


def jobs_now(parts: Parts) -> JobsNow:
    """Counts of jobs that have not ended; a database that is away is told, not raised."""
    try:
        by_state = Counter(job.state for job in parts.jobs.jobs_in(GOING))
        workers = live_workers(parts.jobs, at=parts.intake.clock())
    except Unavailable as error:
        return JobsNow({}, failure=str(error))
    return JobsNow(by_state, workers)


def drift_now(parts: Parts) -> tuple[tuple[ModelDrift, ...], str | None]:
    """And why it is not known, where the database does not answer."""
    since = parts.intake.clock() - DRIFT_DAYS + timedelta(days=1)
    try:
        return model_drifts(drift_answer(parts, from_=since, to=None)), None
    except Unavailable as error:
        return (), str(error)


def versions() -> Mapping[str, str]:
    """Of the interpreter and of the packages that shape a crop or keep its record."""
    found = {"Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
