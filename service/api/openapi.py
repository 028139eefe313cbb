"""What the OpenAPI page says beyond what the routes' types tell."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.fields import FIELDS, MAX_KEY_CHARS
from service.api.form import FILE
from service.api.problems import MEDIA_TYPE, PROBLEMS
from service.api.schemas import Answer
from service.core.fields import MAX_NAME_CHARS

REFUSED_KEY = ("auth.missing", "auth.unknown", "auth.forbidden", "database.unavailable")
REFUSED_PHOTO = (
    *REFUSED_KEY,
    "request.invalid",
    "request.timeout",
    "photo.too_large",
    "photo.unsupported",
    "field.invalid",
    "photo.corrupt",
    "photo.truncated",
    "photo.too_many_pixels",
    "photo.empty",
    "service.busy",
    "store.unavailable",
    "model.unavailable",
)
BINARY = {"type": "string", "format": "binary"}
MEANINGS = {
    "meter_id": "Which meter it shows.",
    "site": "Where the meter is.",
    "meter_type": "Such as gas, water or electricity.",
    "captured_at": "When it was taken, RFC 3339; the camera's own time where none is sent.",
    "reader_id": "Who read the meter.",
    "tags": "A JSON object of strings.",
}
EXAMPLES = {"meter_id": "G-1047", "captured_at": "2026-03-01T09:35:21Z", "tags": '{"route": "7"}'}


class Problem(Answer):
    """RFC 9457; `code` is stable and for programs."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these codes."""
    by_status: dict[int, list[str]] = {}
    for code in sorted(set(codes), key=list(PROBLEMS).index):
        by_status.setdefault(PROBLEMS[code][0], []).append(code)
    return {status: _response(status, of_status) for status, of_status in by_status.items()}


def photo_body() -> dict[str, Any]:
    """`openapi_extra` of a route that takes a photo: the body's two forms, and the fields."""
    fields = {name: _field(name) for name in FIELDS}
    form = {
        "type": "object",
        "required": [FILE],
        "properties": {FILE: BINARY, **fields},
        "additionalProperties": False,
    }
    content = {kind: {"schema": BINARY} for kind in ("image/*", "application/octet-stream")}
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in fields.items()
        ],
        "requestBody": {
            "required": True,
            "description": "The photo itself with the fields in the address, or a form.",
            "content": {"multipart/form-data": {"schema": form}, **content},
        },
    }


def idempotency_parameter() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key with the same bytes answers with the same record.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_KEY_CHARS,
            "pattern": "^[ -~]+$",
        },
    }


def describe(app: FastAPI) -> None:
    """Makes `/openapi.json` complete: the schema of problems is in no route's types."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema()
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _field(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "description": MEANINGS[name]}
    match name:
        case "captured_at":
            schema["format"] = "date-time"
        case "tags":
            schema["contentMediaType"] = "application/json"
        case _:
            schema["maxLength"] = MAX_NAME_CHARS
    if name in EXAMPLES:
        schema["examples"] = [EXAMPLES[name]]
    return schema


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": "; ".join(f"`{code}`: {PROBLEMS[code][1].lower()}" for code in codes),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in (429, 503):
        response["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        }
    return response
