"""`/try`: what would become of a photo, seen before anything is stored."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.api.body import received, too_large
from service.api.problems import status_of
from service.api.running import Here
from service.api.schemas import DecisionAnswer
from service.api.segment import outcome_of
from service.api.upload import upload_photo
from service.core.errors import MetercropError, Unavailable
from service.core.photo import Photo
from service.dashboard.reasons import EXPLAINED, Explained
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.visitor import Uploading, Visitor
from service.imaging.overlay import overlaid
from service.imaging.raster import jpeg
from service.usecases.optimize import Optimized, Optimizer


@dataclass(frozen=True, slots=True)
class Picture:
    """`address` holds all of it, so that it is shown without being kept anywhere."""

    address: str
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Tried:
    """`explained` says why the whole photo would be kept, `crop` is what would be stored of it."""

    decision: DecisionAnswer
    seen: Picture
    crop: Picture | None
    explained: Explained | None


@dataclass(frozen=True, slots=True)
class Trial:
    """One visit: nothing yet, a photo that was looked at, or why that was not possible."""

    tried: Tried | None = None
    problem: MetercropError | None = None
    stored: UUID | None = None


def try_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/try", ask_for_photo, methods=["GET", "HEAD"])
    router.add_api_route("/try", try_photo, methods=["POST"])
    router.add_api_route("/try/store", store_photo, methods=["POST"])
    return router


def ask_for_photo(
    request: Request,
    visitor: Uploading,
    stored: Annotated[UUID | None, Query(description="The photo that was just stored.")] = None,
) -> HTMLResponse:
    return _page(request, visitor, Trial(stored=stored))


async def try_photo(request: Request, visitor: Uploading, running: Here) -> HTMLResponse:
    """The decision of `/v1/segment` with its pictures; nothing is stored."""
    optimizer, limits = running.parts.intake.optimizer, running.parts.limits
    try:
        async with received(request, max_bytes=limits.max_bytes, memory=running.memory) as said:
            tried = await running.worked(said.content, lambda photo: tried_with(optimizer, photo))
    except MetercropError as problem:
        return _page(request, visitor, Trial(problem=problem))
    return _page(request, visitor, Trial(tried))


async def store_photo(request: Request, visitor: Uploading, running: Here) -> Response:
    """The same use case as `POST /v1/photos`; leads to the photo's page."""
    try:
        photo = await upload_photo(request, Response(), running)
    except MetercropError as problem:
        return _page(request, visitor, Trial(problem=problem))
    path = f"/photos/{photo.id}" if visitor.may_read else f"/try?stored={photo.id}"
    target = f"{request.scope.get('root_path', '')}{path}"
    if _is_live(request):
        return Response(headers={"HX-Redirect": target})
    return RedirectResponse(target, 303)


def tried_with(optimizer: Optimizer, photo: Photo) -> Tried:
    """Raises `PhotoRejected` as an upload would."""
    judged = optimizer.judged(photo)
    optimized = optimizer.carried_out(photo, judged)
    model = optimizer.segmenter.description
    decision = outcome_of(optimized)
    seen = overlaid(judged.raw, photo.orientation, mask=judged.mask, decision=decision)
    shown = jpeg(seen, exif=None, icc_profile=None)
    return Tried(
        DecisionAnswer.of(optimized, model, original_bytes=len(photo.content)),
        _picture(shown.content, shown.format, seen.size),
        _crop(optimized),
        None if optimized.reason is None else EXPLAINED[optimized.reason],
    )


def _crop(optimized: Optimized) -> Picture | None:
    if optimized.crop is None:
        return None
    size = optimized.width, optimized.height
    return _picture(optimized.content, optimized.format, size)


def _picture(content: bytes, media_type: str, size: tuple[int, int]) -> Picture:
    address = f"data:{media_type};base64,{b64encode(content).decode('ascii')}"
    return Picture(address, *size, len(content))


def _page(request: Request, visitor: Visitor, trial: Trial) -> HTMLResponse:
    """For the script of the page only what it puts into it."""
    limits = request.app.state.running.parts.limits
    problem, is_live = trial.problem, _is_live(request)
    values = {
        "trial": trial,
        "is_live": is_live,
        "max_bytes": limits.max_bytes,
        "too_large": too_large(limits.max_bytes),
    }
    answer = pages_on(request).page(
        request,
        "try_result.html" if is_live else "try.html",
        values,
        visitor=visitor,
        section=Section.TRY,
        status=200 if problem is None else status_of(problem),
    )
    if isinstance(problem, Unavailable):
        answer.headers["Retry-After"] = str(problem.retry_after_s)
    return answer


def _is_live(request: Request) -> bool:
    return "hx-request" in request.headers
