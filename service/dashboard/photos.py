"""`GET /photos`: the photos, newest first, and filters over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field, field_validator

from service.api.queries import MAX_PAGE, PhotoQuery
from service.api.running import Here
from service.api.schemas import PhotoAnswer
from service.core.crop import Reason
from service.core.record import Page, Record, Status
from service.dashboard.addresses import Moment, address_of, ends, named
from service.dashboard.reasons import EXPLAINED, Explained
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.thumbnails import Shot, Size, shot_of
from service.dashboard.visitor import Reading

PAGE = 24
STATUSES = {Status.CROPPED: "Cropped", Status.KEPT_ORIGINAL: "Kept whole"}


class Emptiness(StrEnum):
    """Why a page shows no photo."""

    NONE_AT_ALL = "none_at_all"
    NONE_FITS = "none_fits"
    NONE_OLDER = "none_older"
    NOT = ""


class PhotosQuery(PhotoQuery):
    """The API's, in which a form may leave fields empty and a day stands for its first moment."""

    from_: Annotated[Moment, Field(alias="from")] = None
    to: Moment = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = PAGE
    told: Literal["deleted"] | None = None
    """What has just happened."""

    @field_validator("meter_id", "site", "status", "reason", "cursor", mode="before")
    @classmethod
    def _empty_is_none(cls, text: object) -> object:
        return text or None

    @property
    def filters(self) -> dict[str, str]:
        """What photos are selected by, as it stands in an address."""
        capture = {"meter_id": self.meter_id, "site": self.site}
        result = {"status": self.status, "reason": self.reason}
        return named({**capture, **result}) | ends(self.from_, self.to)


@dataclass(frozen=True, slots=True)
class Card:
    """A photo in a list; its figures are those of the API's answer."""

    photo: PhotoAnswer
    shot: Shot
    explained: Explained | None

    @property
    def kept_bytes(self) -> int:
        return self.photo.original.bytes - self.photo.saved_bytes


def photos_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/photos", photos, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return router


def photos(
    request: Request, visitor: Reading, running: Here, query: Annotated[PhotosQuery, Query()]
) -> HTMLResponse:
    page = running.parts.ledger.page(query.filter, limit=query.limit, cursor=query.cursor)
    limit = {} if query.limit == PAGE else {"limit": str(query.limit)}
    values = {
        "query": query,
        "cards": [card_of(record) for record in page.items],
        "empty": emptiness(page, query.filters, cursor=query.cursor),
        "newest": address_of("/photos", {**query.filters, **limit}),
        "older": older(page, "/photos", {**query.filters, **limit}),
        "statuses": STATUSES,
        "reasons": {reason: EXPLAINED[reason].name for reason in Reason},
    }
    return pages_on(request).page(
        request, "photos.html", values, visitor=visitor, section=Section.PHOTOS
    )


def card_of(record: Record, size: Size = Size.SMALL) -> Card:
    explained = None if record.reason is None else EXPLAINED[record.reason]
    return Card(PhotoAnswer.of(record), shot_of(record, size), explained)


def emptiness(page: Page, filters: Mapping[str, str], *, cursor: str | None) -> Emptiness:
    if page.items:
        return Emptiness.NOT
    if cursor is not None:
        return Emptiness.NONE_OLDER
    return Emptiness.NONE_FITS if filters else Emptiness.NONE_AT_ALL


def older(page: Page, path: str, asked: Mapping[str, str]) -> str | None:
    """The address of the next page, None on the last."""
    if page.next_cursor is None:
        return None
    return address_of(path, {**asked, "cursor": page.next_cursor})
