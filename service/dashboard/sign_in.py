"""Signing in: a key is asked for once, and a cookie stands for it from then on."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.api.keys import AccessDenied
from service.api.problems import status_of
from service.api.running import Here
from service.api.sessions import SessionId, cookie_name, session_of
from service.core.access import ApiKey, SignIn, secret_sha256
from service.dashboard.forms import Submitted
from service.dashboard.rendering import pages_on
from service.dashboard.routes import page_router
from service.dashboard.visitor import NOBODY, Looking

LASTS = timedelta(days=7)
ID_BYTES = 32
MAX_NEXT_CHARS = 4_096


def sign_in_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/sign-in", ask_for_key, methods=["GET", "HEAD"])
    router.add_api_route("/sign-in", sign_in, methods=["POST"])
    router.add_api_route("/sign-out", sign_out, methods=["POST"])
    return router


def ask_for_key(
    request: Request,
    visitor: Looking,
    wanted: Annotated[str, Query(alias="next", max_length=MAX_NEXT_CHARS)] = "",
) -> Response:
    """Who needs no key, or has given one, is led on."""
    if visitor is not NOBODY:
        return RedirectResponse(own_path(request, wanted), 303)
    return _page(request, wanted)


def sign_in(request: Request, _: Looking, form: Submitted, running: Here) -> Response:
    wanted, authentication = form.get("next", ""), running.parts.authentication
    try:
        key = authentication.key_of(form.get("key") or None)
    except AccessDenied as refused:
        structlog.get_logger().info("session.refused", code=refused.code)
        detail = "type a key first" if refused.code == "auth.missing" else str(refused)
        return _page(request, wanted, detail=detail, status=status_of(refused))
    answer = RedirectResponse(own_path(request, wanted), 303)
    _begin_session(request, answer, running, key)
    structlog.get_logger().info("session.begun", key_id=str(key.id), name=key.name)
    return answer


def sign_out(request: Request, _: Looking, running: Here) -> Response:
    session = session_of(request)
    if session is not None:
        _end_session(running, session)
    answer = RedirectResponse(f"{_root(request)}/sign-in", 303)
    answer.delete_cookie(cookie_name(request), path=_root(request) or "/")
    return answer


def own_path(request: Request, wanted: str) -> str:
    r"""`wanted` where it is the path of a page here, else the first page.

    Browsers read `//host`, `/\host` and a tab within either as another site's address.
    """
    path, root = wanted.partition("?")[0], _root(request)
    is_plain = wanted.isprintable() and "\\" not in path and "//" not in path
    return wanted if is_plain and path.startswith(f"{root}/") else f"{root}/"


def _begin_session(request: Request, answer: Response, running: Here, key: ApiKey) -> None:
    """With a new id always: one that somebody else put into the browser stays worthless.

    `Lax`, not `Strict`: with that a link that a colleague sent would open the page for the key, as
    the browser would leave the cookie out. What changes something is guarded by `refuse_foreign`.
    """
    parts, now = running.parts, running.parts.intake.clock()
    earlier = session_of(request)
    if earlier is not None:
        _end_session(running, earlier)
    text = secrets.token_urlsafe(ID_BYTES)
    parts.ledger.add_session(SignIn(secret_sha256(text), key.id, now + LASTS), at=now)
    answer.set_cookie(
        cookie_name(request),
        text,
        max_age=int(LASTS.total_seconds()),
        path=_root(request) or "/",
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="lax",
    )


def _end_session(running: Here, session: SessionId) -> None:
    running.parts.ledger.end_session(secret_sha256(session.text))
    running.parts.authentication.forget(session)


def _page(request: Request, wanted: str, *, detail: str = "", status: int = 200) -> HTMLResponse:
    values = {"wanted": wanted, "detail": detail}
    return pages_on(request).page(request, "sign_in.html", values, visitor=NOBODY, status=status)


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return root
