"""A visitor's side of a running service: tabs that are watched."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import ConsoleMessage, Page

from service.api.parts import Parts
from tests.browser.axe import serious_findings

DESK, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True, slots=True)
class Website:
    """A running service as a visitor has it; `client` asks its API."""

    url: str
    client: httpx.Client
    parts: Parts


@dataclass(slots=True)
class Watched:
    """A tab, and what should not happen in it."""

    page: Page
    complaints: list[str]

    def expect_no_findings(self) -> None:
        """Nothing that axe-core calls serious or critical."""
        assert serious_findings(self.page) == []

    def expect_width(self, width_px: int) -> None:
        """Nothing sticks out of the screen."""
        self.page.wait_for_function(
            "width => document.documentElement.scrollWidth === width", arg=width_px
        )


def watched(page: Page, url: str) -> Watched:
    """Errors on the console, failures of scripts, and requests to other hosts are noted."""
    tab = Watched(page, [])
    host = urlsplit(url).netloc

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            tab.complaints.append(f"console: {message.text}")

    def note_request(address: str) -> None:
        if urlsplit(address).scheme in ("http", "https") and urlsplit(address).netloc != host:
            tab.complaints.append(f"request to another host: {address}")

    page.on("console", note_console)
    page.on("pageerror", lambda error: tab.complaints.append(f"script: {error}"))
    page.on("request", lambda request: note_request(request.url))
    return tab
