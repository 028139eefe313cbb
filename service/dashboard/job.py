"""`GET /jobs/{id}`: how far a batch job is, what came of it, and the buttons that steer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.api.job_schemas import ItemPageAnswer, ItemQuery
from service.api.jobs import JobId, list_items, show_job
from service.api.problems import status_of
from service.api.queries import Name
from service.api.queries import Query as Asked
from service.api.running import Here
from service.core.errors import RequestRejected
from service.core.job import ItemState, Step
from service.dashboard.job_view import OUTCOMES, JobView
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.visitor import Steering, Visitor
from service.usecases.jobs import live_workers, steered

FIRST_FAILED = 10
PAGE_ITEMS = 50


class JobItemsQuery(Asked):
    state: ItemState | None = None
    cursor: Name | None = None
    """The `next_cursor` of the page before."""


@dataclass(frozen=True, slots=True)
class JobAtWork:
    """`failed` are the first of the items that failed."""

    view: JobView
    failed: ItemPageAnswer
    workers: int
    currency: str

    @property
    def lacks_worker(self) -> bool:
        return self.view.needs_worker and not self.workers


def job_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/jobs/{job_id}", job, methods=["GET", "HEAD"])
    router.add_api_route("/jobs/{job_id}/live", live_job, methods=["GET"])
    router.add_api_route("/jobs/{job_id}/items", job_items, methods=["GET", "HEAD"])
    router.add_api_route("/jobs/{job_id}/{step}", steer, methods=["POST"])
    return router


def job(request: Request, visitor: Steering, running: Here, job_id: JobId) -> HTMLResponse:
    return _page(request, visitor, job_at_work(running, job_id))


def live_job(request: Request, visitor: Steering, running: Here, job_id: JobId) -> HTMLResponse:
    """What changes of the page, which asks for it again until the job has ended."""
    values = {"work": job_at_work(running, job_id), "refused": ""}
    return pages_on(request).page(request, "job_live.html", values, visitor=visitor)


def steer(
    request: Request, visitor: Steering, running: Here, job_id: JobId, step: Step
) -> Response:
    """Who came too late is told so beside the job as it is now."""
    try:
        at = running.parts.intake.clock()
        after = steered(running.parts.jobs, job_id, step=step, at=at)
    except RequestRejected as refused:
        now = job_at_work(running, job_id)
        return _page(request, visitor, now, refused=str(refused), status=status_of(refused))
    structlog.get_logger().info("job.steered", job_id=str(job_id), step=step, state=after.state)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs/{job_id}", 303)


def job_items(
    request: Request,
    visitor: Steering,
    running: Here,
    job_id: JobId,
    query: Annotated[JobItemsQuery, Query()],
) -> HTMLResponse:
    """All that the job is about, or what is in one state."""
    asked = ItemQuery(limit=PAGE_ITEMS, state=query.state, cursor=query.cursor)
    values: dict[str, Any] = {
        "view": JobView(show_job(job_id, running), running.parts.intake.clock()),
        "page": list_items(job_id, asked, running),
        "query": query,
        "outcomes": OUTCOMES,
    }
    return pages_on(request).page(
        request, "job_items.html", values, visitor=visitor, section=Section.JOBS
    )


def job_at_work(running: Here, job_id: JobId) -> JobAtWork:
    now = running.parts.intake.clock()
    first = ItemQuery(limit=FIRST_FAILED, state=ItemState.FAILED)
    return JobAtWork(
        JobView(show_job(job_id, running), now),
        list_items(job_id, first, running),
        live_workers(running.parts.jobs, at=now),
        running.parts.currency,
    )


def _page(
    request: Request, visitor: Visitor, work: JobAtWork, *, refused: str = "", status: int = 200
) -> HTMLResponse:
    values = {"work": work, "refused": refused}
    return pages_on(request).page(
        request, "job.html", values, visitor=visitor, section=Section.JOBS, status=status
    )
