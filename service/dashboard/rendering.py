"""Templates and what every page has: its frame, its figures, its headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from service.core.figures import duration, money, share, size
from service.dashboard.visitor import Visitor

STATIC = "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and nothing inline but pictures of a photo that is kept nowhere."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
}


class Section(StrEnum):
    """Where a page belongs, as the navigation marks it."""

    SAVINGS = "savings"
    PHOTOS = "photos"
    REFUSALS = "refusals"
    JOBS = "jobs"
    TRY = "try"
    HEALTH = "health"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders templates of this package; `version` tells browsers when static files changed."""

    environment: Environment
    version: str

    def page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        *,
        visitor: Visitor,
        section: Section = Section.NONE,
        status: int = 200,
    ) -> HTMLResponse:
        """A whole page, or a part of one where the template extends no frame."""
        frame = {
            "root": request.scope.get("root_path", ""),
            "version": self.version,
            "section": section,
            "visitor": visitor,
        }
        html = self.environment.get_template(template).render({**values, **frame})
        return HTMLResponse(html, status, headers=HEADERS)


def pages_of(version: str) -> Pages:
    environment = Environment(
        loader=PackageLoader("service.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        size=size, share=share, money=money, duration=duration, moment=moment, words=words
    )
    return Pages(environment, version)


def moment(at: datetime | None) -> str:
    """In UTC, to the minute; the script shows it in the reader's own zone."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def words(code: str | None) -> str:
    """`kept_original` as people write it: kept original."""
    return "" if code is None else code.replace("_", " ").replace(".", ": ")


def pages_on(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages
