"""`/v1/jobs`: batch jobs over archives; the workers see what is written here and act on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import chain
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BeforeValidator

from service.api.job_body import asked_job, job_body
from service.api.job_report import csv_chunks
from service.api.job_schemas import (
    ItemPageAnswer,
    ItemQuery,
    JobAnswer,
    JobPageAnswer,
    JobQuery,
)
from service.api.keys import requires
from service.api.openapi import REFUSED_KEY, problems
from service.api.running import Here, Running
from service.core.access import Scope
from service.core.errors import NotFound
from service.core.job import Job, Step
from service.usecases.contact_sheet import content_policy
from service.usecases.jobs import JobRequest, contact_sheet_of, job_of, new_job, steered

MEANINGS = {
    Step.CONFIRM: "The list is as it should be: the job may run.",
    Step.PAUSE: "Workers finish what they have in hand and begin nothing more of it.",
    Step.RESUME: "Goes on where it was paused.",
    Step.CANCEL: "Ends it; what is done stays done.",
    Step.RETRY_FAILED: "Tries the failed items again, and no others.",
}


def _uuid(text: object) -> UUID:
    """What is no UUID names no job: the same answer as for one that is not there."""
    try:
        return UUID(str(text))
    except ValueError as error:
        raise NotFound("job.not_found", f"there is no job {str(text)[:60]!r}") from error


JobId = Annotated[UUID, BeforeValidator(_uuid), Path()]
Asked = Annotated[JobRequest, Depends(asked_job)]


def jobs_router() -> APIRouter:
    router = APIRouter(
        prefix="/v1/jobs", tags=["Batch jobs"], dependencies=[Depends(requires(Scope.JOBS))]
    )
    listed = problems(*REFUSED_KEY, "field.invalid")
    of_one = problems(*REFUSED_KEY, "job.not_found", "field.invalid")
    router.add_api_route(
        "",
        create_job,
        methods=["POST"],
        status_code=201,
        response_description="The job, whose list is being made.",
        responses=_refusals_of_new(),
        openapi_extra=job_body(),
    )
    router.add_api_route("", list_jobs, responses=listed)
    router.add_api_route("/{job_id}", show_job, responses=of_one)
    for step in Step:
        router.add_api_route(
            f"/{{job_id}}/{step}",
            _steering(step),
            methods=["POST"],
            name=f"{step}_job",
            description=MEANINGS[step],
            responses=of_one | problems("job.wrong_state"),
        )
    router.add_api_route("/{job_id}/items", list_items, responses=of_one)
    router.add_api_route(
        "/{job_id}/report.csv",
        report,
        response_class=StreamingResponse,
        responses=of_one | {200: {"description": "One row an object.", "content": _text("csv")}},
    )
    router.add_api_route(
        "/{job_id}/contact-sheet",
        sheet,
        response_class=HTMLResponse,
        responses=problems(*REFUSED_KEY, "job.not_found", "job.no_contact_sheet", "field.invalid"),
    )
    return router


def create_job(asked: Asked, request: Request, response: Response, running: Here) -> JobAnswer:
    """Creates a job over an archive or a list of objects; workers begin with it at once."""
    parts = running.parts
    job = new_job(asked, parts.job_rules, at=_now(running))
    parts.jobs.create(job)
    structlog.get_logger().info("job.created", job_id=str(job.id), mode=job.plan.mode)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"
    return _answer(job, running)


def list_jobs(query: Annotated[JobQuery, Query()], running: Here) -> JobPageAnswer:
    """Newest first."""
    page = running.parts.jobs.jobs(limit=query.limit, cursor=query.cursor)
    return JobPageAnswer.of(page, at=_now(running))


def show_job(job_id: JobId, running: Here) -> JobAnswer:
    """A job as it is now."""
    return _answer(job_of(running.parts.jobs, job_id), running)


def list_items(
    job_id: JobId, query: Annotated[ItemQuery, Query()], running: Here
) -> ItemPageAnswer:
    """A job's objects, each with what became of it."""
    ledger = running.parts.jobs
    job_of(ledger, job_id)
    page = ledger.items(job_id, state=query.state, limit=query.limit, cursor=query.cursor)
    return ItemPageAnswer.of(page)


def report(job_id: JobId, running: Here) -> StreamingResponse:
    """All objects of a job as CSV. Keys are exact: import them into spreadsheets as text."""
    job = job_of(running.parts.jobs, job_id)
    chunks = csv_chunks(running.parts.jobs.every_item(job.id))
    begun = chain([next(chunks)], chunks)  # what fails at once, fails before the answer
    headers = {
        "Content-Disposition": f'attachment; filename="job-{job.id}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(begun, media_type="text/csv", headers=headers)


def sheet(job_id: JobId, running: Here) -> HTMLResponse:
    """The photos that a dry run looked at, with what it would cut out of them, as a page."""
    page = contact_sheet_of(running.parts.jobs, job_id)
    headers = {"Content-Security-Policy": content_policy(), "Cache-Control": "no-store"}
    return HTMLResponse(page, headers=headers)


def _steering(step: Step) -> Callable[..., JobAnswer]:
    def steer(job_id: JobId, running: Here) -> JobAnswer:
        job = steered(running.parts.jobs, job_id, step=step, at=_now(running))
        structlog.get_logger().info("job.steered", job_id=str(job.id), step=step, state=job.state)
        return _answer(job, running)

    return steer


def _answer(job: Job, running: Running) -> JobAnswer:
    return JobAnswer.of(job, at=_now(running))


def _now(running: Running) -> datetime:
    return running.parts.intake.clock()


def _refusals_of_new() -> dict[int | str, dict[str, Any]]:
    return problems(
        *REFUSED_KEY,
        "request.invalid",
        "request.timeout",
        "request.too_large",
        "request.unsupported",
        "field.invalid",
        "job.overlap",
        "service.busy",
    )


def _text(kind: str) -> dict[str, Any]:
    return {f"text/{kind}": {"schema": {"type": "string"}}}
