"""The body that asks for a job: read after the key was, and never more of it than a job needs."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from python_multipart.multipart import parse_options_header

from service.api.body import small_body
from service.api.job_schemas import JobBody
from service.api.running import Here
from service.core.errors import RequestRejected
from service.usecases.jobs import JobRequest

MAX_BODY_BYTES = 100_000


def job_body() -> dict[str, Any]:
    """`openapi_extra` of the route that takes it."""
    schema = JobBody.model_json_schema(ref_template="#/components/schemas/{model}")
    del schema["$defs"]  # they are among the answers' schemas too
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def asked_job(request: Request, running: Here) -> JobRequest:
    """What the body says, field by field.

    Raises `RequestRejected` `request.unsupported`, `request.too_large`, `request.timeout`, and
    `RequestValidationError`.
    """
    _check_type(request)
    content = await small_body(
        request,
        max_bytes=MAX_BODY_BYTES,
        memory=running.memory,
        instead="name the objects in a manifest",
    )
    try:
        return JobBody.model_validate_json(content).request
    except ValidationError as error:
        details = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(details) from error


def _check_type(request: Request) -> None:
    """A page of another site may send forms and plain text unasked, but JSON only with our leave.

    So none that a browser shows can start a job on a service without keys.
    """
    kind, _ = parse_options_header(request.headers.get("content-type"))
    if kind != b"application/json":
        raise RequestRejected(
            "request.unsupported",
            f"a body of type {kind.decode('latin-1')[:60]!r} is not read here; send JSON with "
            "Content-Type: application/json",
        )
