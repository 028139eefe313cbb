"""Draws the README's pictures of the pages: a real service over rendered photos, in a browser.

`make pictures` runs it. Photos come in over three months, as the clock of the service says.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from models.rendering import MeterKind, render
from models.serving import optimizer_of
from service.adapters.folder import FolderStore
from service.adapters.sql.engine import engine_for
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.migrate import migrate
from service.api.parts import Parts
from service.core.photo import Limits
from service.core.record import Capture, Source
from service.imaging.probe import photo_of
from service.settings import BUNDLED_MODEL
from tests.serving import parts_of, served, site_of

HERE = Path(__file__).parent
PHOTOS = 60
DAYS = 90
CONTEXT_PX = 320
SITES = ("Harbour", "Old Town", "Mill Street", "Riverside")
KINDS = (MeterKind.GAS, MeterKind.WATER, MeterKind.ELECTRICITY)


@dataclass(slots=True)
class Clock:
    """It is whatever time a photo comes in."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def draw() -> None:
    """Writes `savings.png`, a desk's view, and `photo.png`, one on a phone in the dark."""
    with TemporaryDirectory() as folder:
        parts, clock = _parts_in(Path(folder))
        _take_photos_in(parts, clock)
        with served(site_of(parts)) as url, _browser() as page:
            page.set_viewport_size({"width": 1440, "height": 1000})
            page.goto(f"{url}/?group_by=week")
            page.wait_for_load_state("networkidle")
            page.screenshot(path=HERE / "savings.png")
            page.set_viewport_size({"width": 390, "height": 844})
            page.emulate_media(color_scheme="dark")
            page.goto(f"{url}/photos?status=cropped")
            page.locator("main a[href*='/photos/']").first.click()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=HERE / "photo.png")


def _parts_in(folder: Path) -> tuple[Parts, Clock]:
    optimizer = replace(optimizer_of(BUNDLED_MODEL), context_px=CONTEXT_PX)
    engine = engine_for(f"sqlite:///{folder}/metercrop.db")
    migrate(engine)
    clock = Clock(datetime.now(UTC))
    store, ledger = FolderStore(folder / "objects"), SqlLedger(engine)
    parts = parts_of(optimizer.segmenter, store, ledger, jobs=SqlJobLedger(engine), clock=clock)
    return replace(parts, intake=replace(parts.intake, optimizer=optimizer)), clock


def _take_photos_in(parts: Parts, clock: Clock) -> None:
    chance, today = random.Random(7), clock.now
    for number in range(PHOTOS):
        clock.now = today - timedelta(days=DAYS * (1 - number / PHOTOS) * chance.uniform(0.9, 1))
        kind = KINDS[number % len(KINDS)]
        capture = Capture(
            meter_id=f"{kind.value[0].upper()}-{chance.randint(1000, 9999)}",
            site=chance.choice(SITES),
            meter_type=kind.value,
        )
        photo = photo_of(_photo(500 + number, kind), Limits())
        parts.intake.take(photo, capture, source=Source.UPLOAD)
    clock.now = today


def _photo(seed: int, kind: MeterKind) -> bytes:
    encoded = BytesIO()
    render(seed, kind=kind, width=2000, height=1500).photo.save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


@contextmanager
def _browser() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser.new_page(locale="en-GB")
        browser.close()


if __name__ == "__main__":
    draw()
