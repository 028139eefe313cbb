"""Routes of pages: what goes wrong is answered as a page, not as JSON."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from service.api.problems import PROBLEMS, status_of
from service.api.sessions import SAFE_METHODS
from service.core.errors import MetercropError
from service.dashboard.rendering import pages_on
from service.dashboard.visitor import NOBODY, SignInNeeded

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """Answers refusals with a page that says what happened and what to do."""

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()

        async def page_or_refusal(request: Request) -> Response:
            try:
                return await answer(request)
            except SignInNeeded:
                return _to_sign_in(request)
            except MetercropError as error:
                return refusal(request, error.code, str(error), status=status_of(error))
            except RequestValidationError as error:
                first = error.errors()[0]
                detail = f"{first['loc'][-1]}: {first['msg']}"
                return refusal(request, "field.invalid", detail, status=422)

        return page_or_refusal


def page_router() -> APIRouter:
    return APIRouter(include_in_schema=False, route_class=PageRoute)


def refusal(request: Request, code: str, detail: str, *, status: int) -> Response:
    """The page of an error; `code` is one of the API's."""
    log = structlog.get_logger()
    log.info("page.refused", code=code, detail=detail, path=request.scope["path"])
    title = PROBLEMS.get(code, (status, code))[1]
    values = {"code": code, "title": title, "detail": detail, "status": status}
    visitor = getattr(request.state, "visitor", NOBODY)
    return pages_on(request).page(request, "error.html", values, visitor=visitor, status=status)


def _to_sign_in(request: Request) -> Response:
    """Leads back to the page that was asked for; a live part has its whole page loaded again."""
    root, query = request.scope.get("root_path", ""), request.url.query
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Refresh": "true"})
    if request.method not in SAFE_METHODS:
        return RedirectResponse(f"{root}/sign-in", 303)
    wanted = request.url.path + (f"?{query}" if query else "")
    return RedirectResponse(f"{root}/sign-in?next={quote(wanted, safe='')}", 303)
