"""What the cookie of a person who signed in carries, and which requests may ride on it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request

from service.core.errors import RequestRejected

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})
"""What browsers say of a request that a page of ours made, or the person without any page."""
COOKIE = "metercrop"


@dataclass(frozen=True, slots=True)
class SessionId:
    """As secret as a key."""

    text: str


def cookie_name(request: Request) -> str:
    """With the prefix that keeps others from setting it: browsers hold a name to its promises.

    `__Host-` promises https, this very host and the path `/`; below a path of its own the service
    can't have that, and without https neither.
    """
    if request.scope["scheme"] != "https":
        return COOKIE
    return f"__Secure-{COOKIE}" if request.scope.get("root_path", "") else f"__Host-{COOKIE}"


def session_of(request: Request) -> SessionId | None:
    text = request.cookies.get(cookie_name(request))
    return SessionId(text) if text else None


def refuse_foreign(request: Request) -> None:
    """Raises `RequestRejected` `request.cross_origin` for what another site's page set off.

    A browser sends the cookie with such requests too, `SameSite` or not: neighbours on the same
    domain count as the same site. Those that only look are harmless.
    """
    if request.method not in SAFE_METHODS and not _is_from_own_page(request):
        raise RequestRejected(
            "request.cross_origin",
            "the browser says that a page of another site sent this, so nothing was done; do it "
            "from this service's own page (a proxy in front has to pass the Host header on)",
        )


def _is_from_own_page(request: Request) -> bool:
    """`Sec-Fetch-Site` is sent over https and on this machine only, `Origin` everywhere.

    What tells neither is no browser, and has no business with a browser's cookie.
    """
    headers = request.headers
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in OWN_SITES
    if (origin := headers.get("origin")) is not None:
        return urlsplit(origin).netloc == headers.get("host")
    return session_of(request) is None
