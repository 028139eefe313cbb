"""The pages are put onto the application of the API."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from service.dashboard.health import health_router
from service.dashboard.job import job_router
from service.dashboard.jobs import jobs_router
from service.dashboard.new_job import new_job_router
from service.dashboard.overview import overview_router
from service.dashboard.photo import photo_router
from service.dashboard.photos import photos_router
from service.dashboard.refusals import refusals_router
from service.dashboard.rendering import STATIC, pages_of
from service.dashboard.sign_in import sign_in_router
from service.dashboard.thumbnails import thumbnails_router
from service.dashboard.try_photo import try_router


def add_dashboard(app: FastAPI) -> None:
    """From here on `app`, made by `service.api.app.application`, also serves `/` and its pages."""
    app.state.pages = pages_of(app.version)
    app.mount("/static", StaticFiles(packages=[(__package__ or "", STATIC)]), name="static")
    for router in (
        overview_router(),
        health_router(),
        sign_in_router(),
        jobs_router(),
        new_job_router(),
        job_router(),
        photos_router(),
        photo_router(),
        refusals_router(),
        thumbnails_router(),
        try_router(),
    ):
        app.include_router(router)
