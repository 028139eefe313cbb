"""The one table from what went wrong to an HTTP answer (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service.core.errors import (
    MetercropError,
    Misconfigured,
    NotFound,
    PhotoRejected,
    RequestRejected,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "request.invalid": (400, "The request is malformed"),
    "auth.missing": (401, "An API key is needed"),
    "auth.unknown": (401, "The API key is not known"),
    "auth.forbidden": (403, "The API key lacks the scope"),
    "request.cross_origin": (403, "Another site's page sent the request"),
    "request.not_found": (404, "There is nothing at this address"),
    "photo.not_found": (404, "There is no such photo"),
    "context.none": (404, "There is no context picture"),
    "job.not_found": (404, "There is no such job"),
    "job.no_contact_sheet": (404, "The job keeps no pictures"),
    "request.method": (405, "The address does not know this method"),
    "request.timeout": (408, "The body stopped coming"),
    "idempotency.conflict": (409, "The Idempotency-Key was used with other bytes"),
    "job.wrong_state": (409, "The job's state does not allow that"),
    "original.gone": (410, "The original is no longer kept"),
    "photo.too_large": (413, "The photo has too many bytes"),
    "request.too_large": (413, "The request has too many bytes"),
    "photo.unsupported": (415, "Not a format that is read"),
    "request.unsupported": (415, "Not a type of body that is read"),
    "range.unsatisfiable": (416, "The object ends before the range begins"),
    "field.invalid": (422, "A field cannot be read"),
    "job.overlap": (422, "The job would meet its own crops"),
    "job.manifest": (422, "The manifest cannot be read"),
    "photo.corrupt": (422, "The photo cannot be decoded"),
    "photo.truncated": (422, "The photo ends too early"),
    "photo.too_many_pixels": (422, "The photo has too many pixels"),
    "photo.empty": (422, "The photo has no bytes"),
    "service.busy": (429, "The service is busy"),
    "internal.error": (500, "The service failed"),
    "store.unavailable": (503, "The object store does not answer"),
    "database.unavailable": (503, "The database does not answer"),
    "codec.unavailable": (503, "The crop is packed in a way that can't be read here"),
    "model.unavailable": (503, "The model does not answer"),
    "service.not_ready": (503, "The service is not ready"),
}
"""Status and title of each code that the API answers with."""

FALLBACKS: tuple[tuple[type[MetercropError], int], ...] = (
    (PhotoRejected, 422),
    (RequestRejected, 400),
    (NotFound, 404),
    (Unavailable, 503),
    (Misconfigured, 500),
)
"""For a code that is newer than the table."""

ROUTING: Mapping[int, str] = {
    404: "request.not_found",
    405: "request.method",
    413: "photo.too_large",
}


class HttpRefusal(MetercropError):
    """Refused for a reason of HTTP's own, which says more in headers."""

    def __init__(self, code: str, message: str, *, headers: Mapping[str, str]) -> None:
        super().__init__(code, message)
        self.headers = headers


def status_of(error: MetercropError) -> int:
    if error.code in PROBLEMS:
        return PROBLEMS[error.code][0]
    return next((status for kind, status in FALLBACKS if isinstance(error, kind)), 500)


def problem(
    code: str,
    detail: str,
    request: Request,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An answer of the table; `status` only where the code is not in it."""
    known_status, title = PROBLEMS.get(code, (500, code))
    answered = known_status if status is None else status
    content = {
        "type": f"urn:metercrop:problem:{code}",
        "title": title,
        "status": answered,
        "detail": detail,
        "instance": _path(request),
        "code": code,
    }
    return JSONResponse(content, answered, headers=headers, media_type=MEDIA_TYPE)


def _path(request: Request) -> str:
    """Not from the request's URL, which can't be made where the Host header is nonsense."""
    path: str = request.scope["path"]
    return path


def answer_problems(app: FastAPI) -> None:
    """From here on every refusal of the application is a problem answer."""
    app.add_exception_handler(MetercropError, _own)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(ClientDisconnect, _gone)


def failure(request: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw: logged whole under an id, answered with the id alone."""
    error_id = str(uuid4())
    log = structlog.get_logger()
    log.error("request.failed", error_id=error_id, path=_path(request), exc_info=error)
    detail = f"something failed that should not have; the service's log has it as {error_id}"
    return problem("internal.error", detail, request)


async def _own(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, MetercropError):
        raise error
    status = status_of(error)
    log = structlog.get_logger()
    if status >= 500:
        log.error("request.unavailable", code=error.code, detail=str(error), path=_path(request))
    else:
        log.info("request.refused", code=error.code, detail=str(error), path=_path(request))
    return problem(error.code, str(error), request, status=status, headers=_headers(error))


def _headers(error: MetercropError) -> Mapping[str, str]:
    match error:
        case Unavailable():
            return {"Retry-After": str(error.retry_after_s)}
        case HttpRefusal():
            return error.headers
    return {}


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return problem("request.invalid", f"the body is no JSON: {first['msg']}", request)
    if first["type"] == "extra_forbidden":
        first["msg"] = "nothing of this name can be asked for here"
    field = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return problem("field.invalid", f"{field}: {first['msg']}", request)


async def _routing(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: addresses and methods that no route knows."""
    if not isinstance(error, HTTPException):
        raise error
    code = ROUTING.get(error.status_code, "request.invalid")
    detail = f"{request.method} {_path(request)}: {error.detail}; /docs lists what there is"
    return problem(code, detail, request, status=error.status_code, headers=error.headers)


async def _gone(request: Request, error: Exception) -> JSONResponse:
    """The client left in the middle of its body; the answer goes nowhere."""
    structlog.get_logger().info("request.abandoned", path=_path(request), error=repr(error))
    return problem("request.invalid", "the body ended before all of it had come", request)
