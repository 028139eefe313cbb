"""`GET /photos/{id}/thumbnail`: a photo in small, with what pages need to draw boxes on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

import anyio
import structlog
from fastapi import APIRouter, Request, Response

from service.api.photos import PhotoId
from service.api.running import BODY_BYTES_PER_PIXEL, Here, Running
from service.core.errors import MetercropError, Unavailable
from service.core.geometry import Box
from service.core.photo import Limits, PhotoFormat
from service.core.record import ContextPicture, Record, StoredPhoto
from service.dashboard.routes import page_router
from service.dashboard.visitor import Reading
from service.imaging.probe import photo_of
from service.imaging.thumbnail import thumbnail_of
from service.usecases.photos import whole_picture

FRESH_S = 3_600
"""How long a browser shows one without asking; pages name the content in its address."""
VERSION_CHARS = 12
TURNS = 4
"""How many times a thumbnail queues up for room: a page asks for many at once, and who looks at it
has more patience than a sender."""
PLACEHOLDER = "no-picture.svg"


class Size(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @property
    def long_side(self) -> int:
        return {"small": 320, "medium": 640, "large": 1280}[self]


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo's thumbnail on a page: boxes are in pixels of the upright photo, its frame.

    Without boxes it shows what is stored, and the frame is that of the stored image.
    """

    address: str
    """Below the root."""
    width: int
    height: int
    box: Box | None = None
    region: Box | None = None

    @property
    def veil(self) -> str:
        """An SVG path over what was given up: all of the frame but the box."""
        if self.box is None:
            return ""
        box = self.box
        whole = f"M0 0H{self.width}V{self.height}H0Z"
        return f"{whole}M{box.left} {box.top}V{box.bottom}H{box.right}V{box.top}Z"


@dataclass(frozen=True, slots=True)
class Source:
    """The object that a thumbnail is made of, or is itself where `long_side` is None."""

    picture: StoredPhoto | ContextPicture
    pixels: int
    """As many as it takes of the budget."""
    long_side: int | None

    @property
    def etag(self) -> str:
        return f'"{self.picture.sha256}-{self.long_side or 0}"'


def thumbnails_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/photos/{photo_id}/thumbnail", thumbnail, response_class=Response)
    return router


def shot_of(record: Record, size: Size = Size.SMALL) -> Shot:
    source = source_of(record, size)
    version = source.picture.sha256[:VERSION_CHARS]
    address = f"/photos/{record.id}/thumbnail?size={size}&v={version}"
    if source.long_side is None and record.crop is not None:
        original, crop = record.original, record.crop
        return Shot(address, original.width, original.height, crop.box, crop.region)
    return Shot(address, record.stored.width, record.stored.height)


def source_of(record: Record, size: Size) -> Source:
    """The context picture, where it is large enough and there is one; else what is stored."""
    stored, context = record.stored, record.context
    if context is not None and size is Size.SMALL:
        return Source(context, 0, None)
    pixels = max(stored.width * stored.height, stored.content_bytes // BODY_BYTES_PER_PIXEL)
    return Source(stored, pixels, size.long_side)


async def thumbnail(
    request: Request,
    _visitor: Reading,
    photo_id: PhotoId,
    running: Here,
    size: Size = Size.SMALL,
) -> Response:
    """Never an error where the photo is known: its picture may be gone from the store."""
    ledger = running.parts.ledger
    record = await anyio.to_thread.run_sync(ledger.by_id, photo_id)
    if record is None:
        return placeholder(404)
    source = source_of(record, size)
    headers = {
        "ETag": source.etag,
        "Cache-Control": f"private, max-age={FRESH_S}",
        "Vary": "Cookie, Authorization",
    }
    if source.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    try:
        content = await _picture(running, source)
    except MetercropError as error:
        log = structlog.get_logger()
        log.warning("thumbnail.missing", photo_id=str(photo_id), code=error.code, why=str(error))
        return placeholder(200)
    return Response(content, headers=headers, media_type=PhotoFormat.WEBP)


def placeholder(status: int) -> Response:
    """Shown as the picture is; not kept, as the next look may have more luck."""
    svg = files("service.dashboard").joinpath("static", PLACEHOLDER).read_bytes()
    headers = {"Cache-Control": "no-store"}
    return Response(svg, status, headers=headers, media_type="image/svg+xml")


async def _picture(running: Running, source: Source) -> bytes:
    """Raises `MetercropError`: the object is gone, broken or away, or there is no room."""
    store, long_side = running.parts.store, source.long_side

    def content() -> bytes:
        return whole_picture(store, source.picture)

    if long_side is None:
        return await running.in_thread(content)
    limits, turns = running.parts.limits, TURNS
    while True:
        try:
            async with running.admission.admitted(source.pixels):
                return await running.in_thread(lambda: _small(content(), limits, long_side))
        except Unavailable as error:
            turns -= 1
            if error.code != "service.busy" or not turns:
                raise


def _small(content: bytes, limits: Limits, long_side: int) -> bytes:
    return thumbnail_of(photo_of(content, limits), long_side=long_side).content
