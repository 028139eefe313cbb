"""`/v1/photos`: what was taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BeforeValidator

from service.api.history import CHECKED_BY_HAND, HistoryAnswer
from service.api.keys import requires
from service.api.objects import ByteRange, Served, object_response
from service.api.openapi import REFUSED_KEY, problems
from service.api.queries import PhotoQuery
from service.api.running import Here, Running
from service.api.schemas import PageAnswer, PhotoAnswer, PhotoWithExifAnswer
from service.core.access import Scope
from service.core.errors import NotFound, Unavailable
from service.core.photo import PhotoFormat
from service.core.record import Record
from service.ports import ObjectStore
from service.usecases.photos import (
    context_of,
    delete_photo,
    history_of,
    object_chunks,
    original_object,
    record_of,
    require_original,
    require_stored,
    stored_chunks,
)

PRESIGNED_FOR = timedelta(minutes=5)
BYTES = {"schema": {"type": "string", "format": "binary"}}


def _uuid(text: object) -> UUID:
    """What is no UUID names no photo: the same answer as for one that is not there."""
    try:
        return UUID(str(text))
    except ValueError as error:
        raise NotFound("photo.not_found", f"there is no photo {str(text)[:60]!r}") from error


PhotoId = Annotated[UUID, BeforeValidator(_uuid), Path()]


def photos_router() -> APIRouter:
    router = APIRouter(prefix="/v1/photos", tags=["Photos"])
    read = [Depends(requires(Scope.READ))]
    missing = problems(*REFUSED_KEY, "photo.not_found", "field.invalid")
    router.add_api_route(
        "",
        list_photos,
        dependencies=read,
        responses=problems(*REFUSED_KEY, "field.invalid"),
    )
    router.add_api_route(
        "/{photo_id}",
        show_photo,
        dependencies=read,
        response_model=PhotoWithExifAnswer | PhotoAnswer,
        responses=missing,
    )
    elsewhere = {307: {"description": "Where the object store serves them."}}
    for path, endpoint, answers in (
        ("/{photo_id}/content", photo_content, _bytes_answers() | elsewhere),
        ("/{photo_id}/original", photo_original, _bytes_answers("original.gone")),
        ("/{photo_id}/context", photo_context, _bytes_answers("context.none")),
    ):
        router.add_api_route(path, endpoint, dependencies=read, responses=answers)
        router.add_api_route(
            path, endpoint, methods=["HEAD"], dependencies=read, include_in_schema=False
        )
    router.add_api_route(
        "/{photo_id}/audit",
        photo_history,
        dependencies=read,
        description=CHECKED_BY_HAND,
        responses=missing,
    )
    _add_routes_that_change(router)
    return router


def _add_routes_that_change(router: APIRouter) -> None:
    admin = [Depends(requires(Scope.ADMIN))]
    answers = problems(
        *REFUSED_KEY,
        "photo.not_found",
        "field.invalid",
        "store.unavailable",
        "database.unavailable",
    )
    router.add_api_route(
        "/{photo_id}/restore",
        restore_photo,
        methods=["POST"],
        dependencies=admin,
        responses=answers | problems("original.gone"),
    )
    router.add_api_route(
        "/{photo_id}",
        remove_photo,
        methods=["DELETE"],
        status_code=204,
        dependencies=admin,
        responses=answers,
    )


def list_photos(query: Annotated[PhotoQuery, Query()], running: Here) -> PageAnswer:
    """Newest first."""
    page = running.parts.ledger.page(query.filter, limit=query.limit, cursor=query.cursor)
    return PageAnswer.of(page)


def show_photo(
    photo_id: PhotoId, running: Here, include: Literal["exif"] | None = None
) -> PhotoAnswer:
    """A photo's record, with the whole EXIF of its original where that is asked for."""
    record = record_of(running.parts.ledger, photo_id)
    return PhotoAnswer.of(record) if include is None else PhotoWithExifAnswer.of(record)


def photo_content(
    request: Request, photo_id: PhotoId, running: Here, *, presigned: bool = False
) -> Response:
    """The stored image, or where the object store serves it itself.

    A crop that lies there packed it can't serve, so that comes from here, presigned or not.
    """
    record = record_of(running.parts.ledger, photo_id)
    try:
        return _content(request, running, record, presigned=presigned)
    except Unavailable:
        now = record_of(running.parts.ledger, photo_id)
        if now.stored == record.stored:
            raise
    return _content(request, running, now, presigned=presigned)  # it was recompressed meanwhile


def _content(request: Request, running: Running, record: Record, *, presigned: bool) -> Response:
    store, stored = running.parts.store, record.stored
    if presigned and not stored.is_packed:
        url = store.presigned_url(stored.key, expires_in=PRESIGNED_FOR)
        if url is not None:
            return RedirectResponse(url, 307, headers={"Cache-Control": "no-store"})
    if request.method != "HEAD":
        require_stored(store, record)
    served = Served(
        lambda part: stored_chunks(store, stored, start=part.start, length=part.length),
        stored.sha256,
        stored.content_bytes,
        stored.media_type,
        _filename(record, stored.media_type),
    )
    return object_response(request, served)


def photo_original(request: Request, photo_id: PhotoId, running: Here) -> Response:
    """The photo as it came in, while it is kept."""
    record = record_of(running.parts.ledger, photo_id)
    original = record.original
    if request.method != "HEAD":
        require_original(running.parts.store, record)
    served = Served(
        _chunks_of(running.parts.store, original_object(record)),
        original.sha256,
        original.bytes,
        original.media_type,
        _filename(record, original.media_type),
    )
    return object_response(request, served)


def photo_context(request: Request, photo_id: PhotoId, running: Here) -> Response:
    """The whole photo in small, beside a crop: to see where the meter hung."""
    record = record_of(running.parts.ledger, photo_id)
    context = context_of(record)
    served = Served(
        _chunks_of(running.parts.store, context.key),
        context.sha256,
        context.bytes,
        context.media_type,
        f"{record.id}-context.{PhotoFormat(context.media_type).extension}",
    )
    return object_response(request, served)


def photo_history(photo_id: PhotoId, running: Here) -> HistoryAnswer:
    return HistoryAnswer.of(photo_id, history_of(running.parts.ledger, photo_id))


def restore_photo(photo_id: PhotoId, running: Here) -> PhotoAnswer:
    """The original, while it is retained, becomes the stored object again.

    Its crop and context picture are deleted. A photo whose original is stored already is answered
    as it is.
    """
    record = running.parts.restore.restored(photo_id)
    structlog.get_logger().info("photo.restored", photo_id=str(photo_id))
    return PhotoAnswer.of(record)


def remove_photo(photo_id: PhotoId, running: Here) -> None:
    """Objects first, then the record; an archive's own object stays where it is."""
    parts = running.parts
    delete_photo(parts.ledger, parts.store, photo_id, at=parts.intake.clock())
    structlog.get_logger().info("photo.deleted", photo_id=str(photo_id))


def _chunks_of(store: ObjectStore, key: str) -> Callable[[ByteRange], Iterator[bytes]]:
    """Of an object that is served as it lies there."""
    return lambda part: object_chunks(store, key, start=part.start, length=part.length)


def _filename(record: Record, media_type: str) -> str:
    return f"{record.id}.{PhotoFormat(media_type).extension}"


def _bytes_answers(*codes: str) -> dict[int | str, dict[str, Any]]:
    whole: dict[str, Any] = {"description": "The bytes.", "content": {"image/*": BYTES}}
    return {
        200: whole,
        206: {**whole, "description": "The range that was asked for."},
        304: {"description": "Still the bytes that If-None-Match names."},
        **problems(
            *REFUSED_KEY,
            "photo.not_found",
            "range.unsatisfiable",
            "field.invalid",
            "store.unavailable",
            "codec.unavailable",
            *codes,
        ),
    }
