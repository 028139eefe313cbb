"""A real browser before a real service: folder, SQLite, a small ONNX model, rendered photos."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from service.adapters.folder import FolderStore
from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.migrate import migrate
from service.api.keys import AuthRule
from service.api.parts import Parts
from tests.browser.browsing import DESK, Watched, Website, watched
from tests.segmenters import colour_segmenter
from tests.servers.postgres import opened
from tests.serving import ANSWER_S, parts_of, served, site_of

PATIENCE_MS = 180_000
"""A limit for a busy machine: nothing is expected to take so long."""


@pytest.fixture(scope="session")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> OnnxSegmenter:
    return colour_segmenter(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium where there is one, else Playwright's own.

    Not longer than for these tests: while it is open, the thread has a running event loop.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def parts(tmp_path: Path, segmenter: OnnxSegmenter) -> Iterator[Parts]:
    with browsed_parts(tmp_path, segmenter) as parts:
        yield parts


@pytest.fixture
def website(parts: Parts) -> Iterator[Website]:
    with served(site_of(parts)) as url, httpx.Client(base_url=url, timeout=ANSWER_S) as client:
        yield Website(url, client, parts)


@pytest.fixture
def open_tab(browser: Browser, website: Website) -> Iterator[Callable[..., Watched]]:
    """Opens tabs; at the end none of them may have complained."""
    contexts: list[BrowserContext] = []
    tabs: list[Watched] = []

    def opened(path: str = "/", *, size: tuple[int, int] = DESK, scripts: bool = True) -> Watched:
        width, height = size
        context = browser.new_context(
            base_url=website.url,
            viewport={"width": width, "height": height},
            java_script_enabled=scripts,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        tab = watched(context.new_page(), website.url)
        tabs.append(tab)
        tab.page.goto(path)
        return tab

    yield opened
    complaints = [complaint for tab in tabs for complaint in tab.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def tab(open_tab: Callable[..., Watched]) -> Watched:
    return open_tab()


@contextmanager
def browsed_parts(
    folder: Path, segmenter: OnnxSegmenter, *, rule: AuthRule = AuthRule.NEVER
) -> Iterator[Parts]:
    with opened(f"sqlite:///{folder}/metercrop.db") as engine:
        migrate(engine)
        store = FolderStore(folder / "objects")
        yield parts_of(segmenter, store, SqlLedger(engine), jobs=SqlJobLedger(engine), rule=rule)
