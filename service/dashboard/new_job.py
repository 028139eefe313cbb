"""`/jobs/new`: a job is asked for; what is wrong is said beside the field that it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from service.api.job_schemas import JobBody
from service.api.jobs import create_job
from service.api.problems import status_of
from service.api.running import Here
from service.core.errors import RequestRejected
from service.core.job import JobPlan, Mode
from service.dashboard.forms import Submitted
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.visitor import Steering, Visitor
from service.usecases.jobs import DEFAULT_SAMPLE, job_of

TICKED = "on"
"""What a browser sends of a box that is ticked; of others it sends nothing."""
NUMBERS: Mapping[str, Callable[[str], float]] = {
    "sample": int,
    "priority": int,
    "keep_originals_days": int,
    "max_failed_fraction": float,
    "max_per_second": float,
}
BOXES = ("dry_run", "confirm")
FIELDS = frozenset(JobBody.model_fields)
FRESH = {"mode": Mode.COPY.value, "dry_run": TICKED, "max_failed_fraction": "0.1", "priority": "0"}
"""The form as nobody has touched it: nothing is written before a dry run was looked at."""


def new_job_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/jobs/new", ask_for_job, methods=["GET", "HEAD"])
    router.add_api_route("/jobs/new", create, methods=["POST"])
    return router


def ask_for_job(
    request: Request,
    visitor: Steering,
    running: Here,
    like: Annotated[UUID | None, Query(description="A job whose answers to begin with.")] = None,
) -> HTMLResponse:
    if like is None:
        return _page(request, visitor, FRESH)
    return _page(request, visitor, answers_of(job_of(running.parts.jobs, like).plan))


def create(request: Request, visitor: Steering, running: Here, form: Submitted) -> Response:
    """The same use case as `POST /v1/jobs`."""
    try:
        asked = JobBody.model_validate_json(json.dumps(body_of(form))).request
        job = create_job(asked, request, Response(), running)
    except ValidationError as error:
        wrong = {str(each["loc"][0]): each["msg"] for each in error.errors() if each["loc"]}
        return _page(request, visitor, form, wrong=wrong, status=422)
    except RequestRejected as error:
        wrong = complaints_of(error)
        return _page(request, visitor, form, wrong=wrong, status=status_of(error))
    return RedirectResponse(f"{request.scope.get('root_path', '')}/jobs/{job.id}", 303)


def body_of(form: Mapping[str, str]) -> dict[str, object]:
    """What the API would be sent; empty fields are left to the service."""
    given = {name: value for name, value in form.items() if value and name not in BOXES}
    ticked = {name: form.get(name) == TICKED for name in BOXES}
    return {**{name: _typed(name, value) for name, value in given.items()}, **ticked}


def complaints_of(error: RequestRejected) -> dict[str, str]:
    """By field; the message begins with the names of those that it is about."""
    names, _, complaint = str(error).partition(": ")
    return dict.fromkeys(names.split(", "), complaint)


def answers_of(plan: JobPlan) -> dict[str, str]:
    """The form as it would ask for the same for real: neither a dry run nor a sample of its own."""
    said = {
        "source": plan.source,
        "manifest": plan.manifest,
        "mode": plan.mode.value,
        "destination": plan.destination,
        "max_failed_fraction": f"{plan.max_failed_fraction:g}",
        "priority": f"{plan.priority}",
        "max_per_second": None if plan.max_per_second is None else f"{plan.max_per_second:g}",
        "keep_originals_days": f"{plan.keep_originals_days}",
        "confirm": TICKED if plan.confirm else None,
    }
    return {name: value for name, value in said.items() if value}


def _typed(name: str, value: str) -> str | float:
    """What is no number stays text, for the schema to refuse by name."""
    number = NUMBERS.get(name)
    if number is None:
        return value
    try:
        return number(value)
    except ValueError:
        return value


def _page(
    request: Request,
    visitor: Visitor,
    answers: Mapping[str, str],
    *,
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> HTMLResponse:
    wrong = wrong or {}
    values = {
        "answers": answers,
        "wrong": wrong,
        "elsewhere": {name: said for name, said in wrong.items() if name not in FIELDS},
        "default_sample": DEFAULT_SAMPLE,
        "folders": request.app.state.running.parts.job_rules.folders,
    }
    return pages_on(request).page(
        request, "new_job.html", values, visitor=visitor, section=Section.JOBS, status=status
    )
