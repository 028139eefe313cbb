"""`GET /`: what was saved so far and the photos that came last, as one plain page."""

from __future__ import annotations

import secrets
from html import escape
from importlib.resources import files
from string import Template
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from service.api.keys import secret_of
from service.api.parts import Parts
from service.api.running import Here
from service.core.access import Scope
from service.core.record import PhotoFilter, Record
from service.core.savings import SavingsTotals

LAST_PHOTOS = 20
LOCKED = (
    "<p>This service asks for API keys. A key with the scope <code>read</code>, sent as "
    "<code>Authorization: Bearer KEY</code>, shows what was saved and the last photos.</p>"
)


def page_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/", page, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return router


def page(
    request: Request, running: Here, secret: Annotated[str | None, Depends(secret_of)]
) -> HTMLResponse:
    """Open, but it shows numbers and photos only to those who may read them."""
    parts = running.parts
    root, nonce = escape(request.scope.get("root_path", "")), secrets.token_urlsafe(16)
    may_read = parts.authentication.allows(secret, Scope.READ)
    model = parts.segmenter.description
    html = Template(files("service.api").joinpath("page.html").read_text("utf-8")).substitute(
        nonce=nonce,
        root=root,
        main=_main(parts, root) if may_read else LOCKED,
        model=escape(f"{model.name} {model.version}"),
        provider=escape(model.provider),
    )
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'"
    headers = {
        "Content-Security-Policy": f"{policy}; base-uri 'none'; form-action 'none'",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(html, headers=headers)


def _main(parts: Parts, root: str) -> str:
    totals = parts.ledger.totals(PhotoFilter(), min_billable_bytes=parts.min_billable_bytes)
    photos = parts.ledger.page(PhotoFilter(), limit=LAST_PHOTOS).items
    money = totals.money_per_month(price_per_gb_month=parts.price_per_gb_month)
    return _figures(totals, money) + _table(photos, root)


def _figures(totals: SavingsTotals, money: float) -> str:
    figures = (
        ("saved", f"{totals.saved_fraction:.1%}"),
        ("bytes saved", readable_bytes(totals.saved_bytes)),
        ("photos", f"{totals.photos:,}"),
        ("cropped", f"{totals.cropped:,}"),
        ("kept whole", f"{totals.kept_original:,}"),
        ("less to pay a month", f"{money:,.2f}"),
    )
    cards = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures)
    return f"<dl>{cards}</dl>"


def _table(photos: tuple[Record, ...], root: str) -> str:
    if not photos:
        return "<p>No photo has come in yet; <code>POST /v1/photos</code> takes one.</p>"
    rows = "".join(_row(record, root) for record in photos)
    heads = "<th>received</th><th>meter</th><th>result</th>"
    numbers = (
        "<th class=number>original</th><th class=number>stored</th><th class=number>saved</th>"
    )
    head = f"<thead><tr>{heads}{numbers}<th></th></tr></thead>"
    table = f"<table>{head}<tbody>{rows}</tbody></table>"
    return f'<h2>Last photos</h2><div class="scroll">{table}</div>'


def _row(record: Record, root: str) -> str:
    result = record.reason or record.status
    numbers = (
        readable_bytes(record.original.bytes),
        readable_bytes(record.stored.bytes),
        f"{record.saved_fraction:.1%}",
    )
    return (
        f"<tr><td>{record.received_at:%Y-%m-%d %H:%M}</td>"
        f"<td>{escape(record.capture.meter_id or '')}</td>"
        f"<td>{escape(result.replace('_', ' '))}</td>"
        + "".join(f"<td class=number>{number}</td>" for number in numbers)
        + f'<td><a href="{root}/v1/photos/{record.id}/content">photo</a></td></tr>'
    )


def readable_bytes(count: int) -> str:
    """Three digits and a decimal unit."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000.0:
            return f"{size:.3g} {unit}"
        size /= 1000.0
    return f"{size:,.1f} TB"
