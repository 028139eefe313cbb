"""`GET /docs`: the API's description, all of it served from here, as networks may be closed."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles of its own."""


def docs_router() -> APIRouter:
    router = APIRouter(prefix="/docs", include_in_schema=False)
    router.add_api_route("", docs, response_class=HTMLResponse)
    router.add_api_route("/docs.js", start_script)
    router.add_api_route("/swagger-ui-bundle.js", swagger_script)
    router.add_api_route("/swagger-ui.css", swagger_style)
    return router


def docs() -> HTMLResponse:
    html = files("service.api").joinpath("docs.html").read_text("utf-8")
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


def start_script() -> Response:
    return _asset("service.api", "docs.js", "text/javascript")


def swagger_script() -> Response:
    return _asset("fastapi_offline", "static/swagger-ui-bundle.js", "text/javascript")


def swagger_style() -> Response:
    return _asset("fastapi_offline", "static/swagger-ui.css", "text/css")


def _asset(package: str, name: str, media_type: str) -> Response:
    content = files(package).joinpath(name).read_bytes()
    return Response(content, media_type=media_type, headers={"Cache-Control": "max-age=86400"})
