"""The route that takes photos in."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Depends, Request, Response

from service.api.body import received
from service.api.fields import capture_of, idempotency_key_of
from service.api.keys import requires
from service.api.openapi import REFUSED_PHOTO, idempotency_parameter, photo_body, problems
from service.api.running import Here
from service.api.schemas import PhotoAnswer
from service.core.access import Scope
from service.core.photo import Photo
from service.core.record import Recorded, Source


def upload_router() -> APIRouter:
    router = APIRouter(tags=["Upload"], dependencies=[Depends(requires(Scope.UPLOAD))])
    body = photo_body()
    body["parameters"].append(idempotency_parameter())
    router.add_api_route(
        "/v1/photos",
        upload_photo,
        methods=["POST"],
        status_code=201,
        response_description="The photo's record.",
        responses={
            200: {"model": PhotoAnswer, "description": "The same bytes were stored before."},
            **problems(*REFUSED_PHOTO, "idempotency.conflict"),
        },
        openapi_extra=body,
    )
    return router


async def upload_photo(request: Request, response: Response, running: Here) -> PhotoAnswer:
    """Takes a photo in: what matters of it is stored, and recorded with what that saved."""
    idempotency_key = idempotency_key_of(request.headers.get("idempotency-key"))
    intake, limits = running.parts.intake, running.parts.limits
    async with received(request, max_bytes=limits.max_bytes, memory=running.memory) as submission:
        capture = capture_of(submission.fields)

        def take(photo: Photo) -> Recorded:
            return intake.take(
                photo, capture, source=Source.UPLOAD, idempotency_key=idempotency_key
            )

        recorded = await running.worked(submission.content, take)
    _account(running, recorded)
    record = recorded.record
    response.status_code = 201 if recorded.created else 200
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/v1/photos/{record.id}"
    return PhotoAnswer.of(record)


def _account(running: Here, recorded: Recorded) -> None:
    record = recorded.record
    if recorded.created:
        running.metrics.count_photo(record)
    structlog.get_logger().info(
        "photo.stored" if recorded.created else "photo.known",
        photo_id=str(record.id),
        status=record.status,
        reason=record.reason,
        original_bytes=record.original.bytes,
        stored_bytes=record.kept_bytes,
        ms=round(record.timings_ms.total, 1),
    )
