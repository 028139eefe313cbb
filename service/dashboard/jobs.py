"""`GET /jobs`: the batch jobs, newest first, as they get on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from service.api.job_schemas import JobQuery
from service.api.jobs import list_jobs
from service.api.queries import Name
from service.api.queries import Query as Asked
from service.api.running import Here
from service.dashboard.job_view import JobView
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.visitor import Steering
from service.usecases.jobs import live_workers

PAGE_JOBS = 25


class JobListQuery(Asked):
    cursor: Name | None = None
    """The `next_cursor` of the page before."""


@dataclass(frozen=True, slots=True)
class JobList:
    jobs: tuple[JobView, ...]
    next_cursor: str | None
    cursor: str | None
    workers: int

    @property
    def is_moving(self) -> bool:
        return any(each.needs_worker for each in self.jobs)

    @property
    def lacks_worker(self) -> bool:
        """There is work, and nobody there to do it."""
        return self.is_moving and not self.workers


def jobs_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/jobs", jobs, methods=["GET", "HEAD"], response_class=HTMLResponse)
    router.add_api_route("/jobs/live", live_jobs, response_class=HTMLResponse)
    return router


def jobs(
    request: Request, visitor: Steering, running: Here, query: Annotated[JobListQuery, Query()]
) -> HTMLResponse:
    values = {"listed": listed_jobs(running, query)}
    return pages_on(request).page(
        request, "jobs.html", values, visitor=visitor, section=Section.JOBS
    )


def live_jobs(
    request: Request, visitor: Steering, running: Here, query: Annotated[JobListQuery, Query()]
) -> HTMLResponse:
    """The list alone, which the page asks for again and again."""
    values = {"listed": listed_jobs(running, query)}
    return pages_on(request).page(request, "jobs_live.html", values, visitor=visitor)


def listed_jobs(running: Here, query: JobListQuery) -> JobList:
    page = list_jobs(JobQuery(limit=PAGE_JOBS, cursor=query.cursor), running)
    now = running.parts.intake.clock()
    return JobList(
        tuple(JobView(job, now) for job in page.items),
        page.next_cursor,
        query.cursor,
        live_workers(running.parts.jobs, at=now),
    )
