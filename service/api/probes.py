"""What machines ask: alive, ready, and what there is to measure. Open without a key."""

from __future__ import annotations

from typing import Self

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from service.api.job_metrics import job_metrics
from service.api.ledger_metrics import ledger_metrics
from service.api.openapi import problems
from service.api.problems import problem
from service.api.running import Here
from service.api.schemas import Answer
from service.usecases.readiness import Check


class AliveAnswer(Answer):
    status: str = "alive"


class CheckAnswer(Answer):
    part: str
    failure: str | None

    @classmethod
    def of(cls, check: Check) -> Self:
        return cls(part=check.part, failure=check.failure)


class ReadyAnswer(Answer):
    status: str = "ready"
    checks: list[CheckAnswer]


def probes_router() -> APIRouter:
    router = APIRouter(tags=["Operation"])
    router.add_api_route("/healthz", alive)
    router.add_api_route("/healthz", alive, methods=["HEAD"], include_in_schema=False)
    router.add_api_route(
        "/readyz", ready, response_model=ReadyAnswer, responses=problems("service.not_ready")
    )
    router.add_api_route(
        "/readyz", ready, methods=["HEAD"], response_model=None, include_in_schema=False
    )
    router.add_api_route(
        "/metrics",
        metrics,
        response_class=Response,
        responses={200: {"description": "Prometheus text.", "content": {"text/plain": {}}}},
    )
    return router


async def alive() -> AliveAnswer:
    """The process lives."""
    return AliveAnswer()


async def ready(request: Request, running: Here) -> ReadyAnswer | Response:
    """An inference, a database round trip and a store round trip, just now."""
    checks = await running.readiness.checks()
    failed = [f"{check.part}: {check.failure}" for check in checks if check.failure is not None]
    if failed:
        retry = {"Retry-After": "5"}
        return problem("service.not_ready", "; ".join(failed), request, headers=retry)
    return ReadyAnswer(checks=[CheckAnswer.of(check) for check in checks])


def metrics(running: Here) -> Response:
    """For Prometheus."""
    parts = running.parts
    now = parts.intake.clock()
    of_jobs = job_metrics(parts.jobs, at=now)
    minimum = parts.min_billable_bytes
    of_photos = ledger_metrics(parts.ledger, min_billable_bytes=minimum, at=now)
    text = running.metrics.text() + of_jobs + of_photos
    return Response(text, media_type=CONTENT_TYPE_LATEST)
