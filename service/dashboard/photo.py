"""`GET /photos/{id}`: all that is known of a photo; and what an administrator may do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from service.api.history import HistoryAnswer
from service.api.photos import PhotoId, remove_photo, restore_photo
from service.api.problems import status_of
from service.api.running import Here, Running
from service.api.schemas import PhotoWithExifAnswer
from service.core.crop import Reason
from service.core.errors import MetercropError, NotFound
from service.core.history import HistoryEntry
from service.core.photo import PhotoFormat
from service.core.record import Record, Retention, is_address
from service.dashboard.photo_history import told
from service.dashboard.reasons import EXPLAINED
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.thumbnails import Size, shot_of
from service.dashboard.visitor import Administering, Reading, Visitor
from service.usecases.photos import original_object

BROWSERS_SHOW = frozenset(
    {PhotoFormat.JPEG, PhotoFormat.PNG, PhotoFormat.WEBP, PhotoFormat.GIF, PhotoFormat.AVIF}
)
RETAINED: Mapping[Retention, str] = {
    Retention.GRACE: "The original is kept beside the crop for its grace.",
    Retention.SOURCE: "The original lies in its archive, and nobody asked to delete it there.",
    Retention.LOCKED: "The original's grace is over, but Object Lock or a legal hold keeps it.",
    Retention.MARKED: "The original was deleted, but its bucket still stores, and bills, it.",
}


def photo_router() -> APIRouter:
    router, path = page_router(), "/photos/{photo_id}"
    router.add_api_route(path, photo, methods=["GET", "HEAD"], response_class=HTMLResponse)
    for step, action in (("restore", restore), ("delete", delete)):
        router.add_api_route(f"{path}/{step}", action, methods=["POST"], response_class=Response)
        router.add_api_route(f"{path}/{step}", back, response_class=Response)
    return router


def photo(
    request: Request, visitor: Reading, photo_id: PhotoId, running: Here, told: str = ""
) -> HTMLResponse:
    """`told` is what has just happened."""
    return _page(request, visitor, photo_id, running, happened=told)


def restore(request: Request, visitor: Administering, photo_id: PhotoId, running: Here) -> Response:
    done = f"/photos/{photo_id}?told=restored"
    return _done(
        request, visitor, photo_id, running, step=lambda: restore_photo(photo_id, running), to=done
    )


def delete(request: Request, visitor: Administering, photo_id: PhotoId, running: Here) -> Response:
    return _done(
        request,
        visitor,
        photo_id,
        running,
        step=lambda: remove_photo(photo_id, running),
        to="/photos?told=deleted",
    )


def back(request: Request, photo_id: PhotoId) -> RedirectResponse:
    """Who had to sign in before the button did anything finds it again."""
    return _to(request, f"/photos/{photo_id}")


def _done(
    request: Request,
    visitor: Visitor,
    photo_id: UUID,
    running: Running,
    *,
    step: Callable[[], object],
    to: str,
) -> Response:
    """Where it fails the photo's page says why."""
    try:
        step()
    except MetercropError as error:
        return _page(request, visitor, photo_id, running, problem=error)
    return _to(request, to)


def _page(
    request: Request,
    visitor: Visitor,
    photo_id: UUID,
    running: Running,
    *,
    happened: str = "",
    problem: MetercropError | None = None,
) -> HTMLResponse:
    ledger = running.parts.ledger
    record, history = ledger.by_id(photo_id), ledger.history(photo_id)
    answer = HistoryAnswer.of(photo_id, history)
    values: dict[str, object] = {
        "photo_id": photo_id,
        "history": answer,
        "entries": told(history, answer),
        "problem": problem,
    }
    if record is None:
        return _gone(request, visitor, values, history=history)
    values |= _shown(record) | {"restored": happened == "restored" and _is_restored(record)}
    status = 200 if problem is None else status_of(problem)
    return pages_on(request).page(
        request, "photo.html", values, visitor=visitor, section=Section.PHOTOS, status=status
    )


def _gone(
    request: Request,
    visitor: Visitor,
    values: Mapping[str, object],
    *,
    history: tuple[HistoryEntry, ...],
) -> HTMLResponse:
    """410 of a photo that was deleted, whose history stays; 404 of one that never was."""
    return pages_on(request).page(
        request,
        "photo_gone.html",
        values,
        visitor=visitor,
        section=Section.PHOTOS,
        status=410 if history else 404,
    )


def _shown(record: Record) -> dict[str, object]:
    original, stored = record.original, record.stored
    return {
        "photo": PhotoWithExifAnswer.of(record),
        "explained": None if record.reason is None else EXPLAINED[record.reason],
        "shown_as_stored": stored.media_type in BROWSERS_SHOW,
        "large": shot_of(record, Size.LARGE),
        "whole": shot_of(record, Size.SMALL) if record.context is not None else None,
        "box": None if record.crop is None else record.crop.box,
        "region": None if record.crop is None else record.crop.region,
        "has_original": _has_original(record),
        "being_purged": original.is_being_purged,
        "retention": None if original.retention is None else RETAINED[original.retention],
        "may_be_restored": record.crop is not None and original.retained_key is not None,
        "stays_in_archive": is_address(stored.key),
    }


def _has_original(record: Record) -> bool:
    """Whether it can be had beside the crop."""
    try:
        return record.crop is not None and bool(original_object(record))
    except NotFound:
        return False


def _is_restored(record: Record) -> bool:
    return record.reason is Reason.RESTORED


def _to(request: Request, path: str) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{path}", 303)
