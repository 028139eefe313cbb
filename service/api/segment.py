"""The route `/v1/segment`: a decision on a photo, and nothing stored."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from service.api.body import received
from service.api.fields import capture_of
from service.api.keys import requires
from service.api.openapi import REFUSED_PHOTO, photo_body, problems
from service.api.running import Here
from service.api.schemas import DecisionAnswer
from service.core.access import Scope
from service.core.crop import Crop, Kept, Reason
from service.core.errors import RequestRejected
from service.core.photo import Photo
from service.imaging.overlay import overlay_png
from service.usecases.optimize import Optimized

OVERLAY = {
    "name": "overlay",
    "in": "query",
    "required": False,
    "description": "Answer a PNG of the photo with mask and boxes drawn in.",
    "schema": {"type": "boolean", "default": False},
}


def segment_router() -> APIRouter:
    router = APIRouter(tags=["Photos"], dependencies=[Depends(requires(Scope.UPLOAD))])
    body = photo_body()
    body["parameters"].append(OVERLAY)
    png = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
    router.add_api_route(
        "/v1/segment",
        segment_photo,
        methods=["POST"],
        response_model=DecisionAnswer,
        responses={
            200: {"description": "The decision, or its picture.", "content": png},
            **problems(*REFUSED_PHOTO),
        },
        openapi_extra=body,
    )
    return router


async def segment_photo(request: Request, running: Here) -> DecisionAnswer | Response:
    """What an upload of this photo would do; nothing is stored. Takes the fields of an upload."""
    optimizer, limits = running.parts.intake.optimizer, running.parts.limits

    def decision(photo: Photo) -> DecisionAnswer:
        optimized = optimizer.optimized(photo)
        model = optimizer.segmenter.description
        return DecisionAnswer.of(optimized, model, original_bytes=len(photo.content))

    def picture(photo: Photo) -> Response:
        judged = optimizer.judged(photo)
        outcome = outcome_of(optimizer.carried_out(photo, judged))
        png = overlay_png(judged.raw, photo.orientation, mask=judged.mask, decision=outcome)
        return Response(png, media_type="image/png")

    async with received(request, max_bytes=limits.max_bytes, memory=running.memory) as submission:
        overlay = submission.fields.pop("overlay", "false")
        capture_of(submission.fields)
        return await running.worked(
            submission.content, picture if _is_true("overlay", overlay) else decision
        )


def outcome_of(optimized: Optimized) -> Crop | Kept:
    """The decision as it was carried out: with the box that was really cut."""
    if optimized.crop is None:
        return Kept(optimized.reason or Reason.NO_GAIN, optimized.confidence)
    return Crop(optimized.crop.box, optimized.crop.region, optimized.confidence)


def _is_true(name: str, text: str) -> bool:
    match text.lower():
        case "true" | "1":
            return True
        case "false" | "0" | "":
            return False
    raise RequestRejected("field.invalid", f"{name}: {text[:60]!r} is neither true nor false")
