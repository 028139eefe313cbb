"""The application: working parts go in, an ASGI application comes out."""

from __future__ import annotations

from fastapi import FastAPI

from service.api.docs import docs_router
from service.api.jobs import jobs_router
from service.api.metrics import program_version
from service.api.middleware import Lingering, Observed
from service.api.openapi import describe
from service.api.parts import Parts
from service.api.photos import photos_router
from service.api.probes import probes_router
from service.api.problems import answer_problems
from service.api.running import running_with
from service.api.savings import savings_router
from service.api.segment import segment_router
from service.api.upload import upload_router

DESCRIPTION = """
Keeps what matters of a meter photo: the region with the reading is found and cut out exactly, the
crop is stored, and what that saved is recorded. Where the model is not sure, the original is kept.

Errors are `application/problem+json` (RFC 9457) with a stable `code`. Where the service asks for
keys, send one as `Authorization: Bearer KEY`; `/healthz`, `/readyz`, `/metrics` and this page are
open, and the pages for people ask for a key once.
"""


def application(parts: Parts) -> FastAPI:
    """The HTTP side of a service with these parts; they are not closed with it."""
    app = FastAPI(
        title="metercrop",
        version=program_version(),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    running = running_with(parts)
    app.state.running = running
    for router in (
        upload_router(),
        photos_router(),
        segment_router(),
        jobs_router(),
        savings_router(),
        probes_router(),
        docs_router(),
    ):
        app.include_router(router)
    answer_problems(app)
    describe(app)
    app.add_middleware(Lingering)
    app.add_middleware(Observed, metrics=running.metrics)
    return app
