"""`GET /refusals`: photos that were kept whole, by reason, to look through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Query as QueryParameters
from fastapi.responses import HTMLResponse
from pydantic import BeforeValidator, Field

from service.api.parts import Parts
from service.api.queries import Name, Query
from service.api.running import Here
from service.core.crop import Reason
from service.core.record import PhotoFilter, Status
from service.core.savings import GroupBy, Period
from service.dashboard.addresses import (
    Moment,
    address_of,
    day_or_moment,
    empty_is_none,
    ends,
    midnight,
    named,
)
from service.dashboard.photos import card_of, emptiness, older
from service.dashboard.reasons import EXPLAINED
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.selection import Choice
from service.dashboard.thumbnails import Size
from service.dashboard.visitor import Reading

PAGE = 12
PATH = "/refusals"
PERIODS = (("7 days", 7), ("30 days", 30), ("A year", 365))


class RefusalsQuery(Query):
    """Named as in `GET /v1/photos`."""

    reason: Annotated[Reason | None, BeforeValidator(empty_is_none)] = None
    from_: Annotated[Moment, Field(alias="from")] = None
    to: Moment = None
    cursor: Name | None = None

    @property
    def filter(self) -> PhotoFilter:
        return PhotoFilter(
            status=Status.KEPT_ORIGINAL, reason=self.reason, from_=self.from_, to=self.to
        )

    @property
    def period(self) -> dict[str, str]:
        """As it stands in an address."""
        return ends(self.from_, self.to)

    @property
    def filters(self) -> dict[str, str]:
        return named({"reason": self.reason}) | self.period


@dataclass(frozen=True, slots=True)
class Tab:
    """A reason, or all of them, and how many photos it kept in the period."""

    choice: Choice
    photos: int


def refusals_router() -> APIRouter:
    router = page_router()
    router.add_api_route(PATH, refusals, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return router


def refusals(
    request: Request,
    visitor: Reading,
    running: Here,
    query: Annotated[RefusalsQuery, QueryParameters()],
) -> HTMLResponse:
    parts = running.parts
    page = parts.ledger.page(query.filter, limit=PAGE, cursor=query.cursor)
    values = {
        "query": query,
        "tabs": tabs(parts, query),
        "presets": list(presets(query, now=parts.intake.clock())),
        "explained": None if query.reason is None else EXPLAINED[query.reason],
        "cards": [card_of(record, Size.MEDIUM) for record in page.items],
        "empty": emptiness(page, query.filters, cursor=query.cursor),
        "newest": address_of(PATH, query.filters),
        "older": older(page, PATH, query.filters),
        "all_photos": address_of("/photos", {"status": Status.KEPT_ORIGINAL.value, **query.period}),
    }
    return pages_on(request).page(
        request, "refusals.html", values, visitor=visitor, section=Section.REFUSALS
    )


def tabs(parts: Parts, query: RefusalsQuery) -> Sequence[Tab]:
    """The counts are those of the savings by reason, whatever tab is open."""
    report = parts.ledger.savings(
        Period(query.from_, query.to),
        group_by=GroupBy.REASON,
        min_billable_bytes=parts.min_billable_bytes,
    )
    photos = {group.key: group.totals.photos for group in report.groups}
    found = [_tab(query, None, photos=report.totals.kept_original)]
    return found + [_tab(query, each, photos=photos.get(each, 0)) for each in Reason]


def presets(query: RefusalsQuery, *, now: datetime) -> Iterator[Choice]:
    reason = named({"reason": query.reason})
    today = midnight(now.astimezone(UTC).date())
    for label, days in PERIODS:
        first = today - timedelta(days=days - 1)
        href = address_of(PATH, {**reason, "from": day_or_moment(first)})
        yield Choice(label, href, (query.from_, query.to) == (first, None))
    yield Choice("Everything", address_of(PATH, reason), not query.period)


def _tab(query: RefusalsQuery, reason: Reason | None, *, photos: int) -> Tab:
    label = "All" if reason is None else EXPLAINED[reason].name
    href = address_of(PATH, named({"reason": reason}) | query.period)
    return Tab(Choice(label, href, query.reason is reason), photos)
