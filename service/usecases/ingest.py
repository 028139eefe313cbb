"""Many photos from files, taken in as uploads are, several at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Event

import structlog

from service.core.budget import Budget
from service.core.errors import MetercropError, Unavailable
from service.core.photo import Limits, Photo
from service.core.record import Capture, Record, Recorded, Source
from service.imaging.probe import photo_of
from service.usecases.photo_files import content_of
from service.usecases.side_by_side import outcomes
from service.usecases.upload import Intake

RETRY_AFTER_S = (0.5, 1.0, 2.0, 4.0)
"""How long a photo waits for a store or database that does not answer, time after time."""


@dataclass(frozen=True, slots=True)
class Taken:
    path: Path
    record: Record
    created: bool
    """False where the same bytes were stored before."""


@dataclass(frozen=True, slots=True)
class Failed:
    path: Path
    code: str
    message: str


@dataclass(slots=True)
class IngestTotals:
    """Counts as outcomes come in; bytes are those of newly stored photos."""

    photos: int = 0
    cropped: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    already_stored: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    original_bytes: int = 0
    stored_bytes: int = 0

    def add(self, outcome: Taken | Failed) -> None:
        self.photos += 1
        match outcome:
            case Failed(code=code):
                self.failed[code] += 1
            case Taken(created=False):
                self.already_stored += 1
            case Taken(record=record):
                self._add_new(record)

    def _add_new(self, record: Record) -> None:
        if record.reason is None:
            self.cropped += 1
        else:
            self.kept[record.reason] += 1
        self.original_bytes += record.original.bytes
        self.stored_bytes += record.kept_bytes


class PixelBudget:
    """What all threads together may have decoded at once; a photo over all of it goes alone."""

    def __init__(self, limit_px: int) -> None:
        self._budget = Budget(limit_px)
        self._freed = Condition()

    @contextmanager
    def held(self, pixels: int) -> Iterator[None]:
        """Waits until there is room."""
        with self._freed:
            self._freed.wait_for(lambda: self._budget.take(pixels))
        try:
            yield
        finally:
            with self._freed:
                self._budget.give_back(pixels)
                self._freed.notify_all()


@dataclass(frozen=True, slots=True)
class Ingest:
    """Once `stop` is set, photos in hand are finished and no other is begun."""

    intake: Intake
    limits: Limits
    budget: PixelBudget
    workers: int
    stop: Event
    retry_after_s: tuple[float, ...] = RETRY_AFTER_S

    def outcomes(self, paths: Iterable[Path]) -> Iterator[Taken | Failed]:
        """One for each file, in their order.

        A failing photo stops no other; `Unavailable` is raised once a store or database has not
        answered in all of `retry_after_s`, after the photos in hand have ended.
        """
        return outcomes(self._outcome, paths, name="ingest", workers=self.workers, stop=self.stop)

    def _outcome(self, path: Path) -> Taken | Failed:
        try:
            recorded = self._taken(path)
        except Unavailable:
            self.stop.set()  # nobody else is to wait for what does not answer
            raise
        except MetercropError as error:
            return Failed(path, error.code, str(error))
        except OSError as error:
            return Failed(path, "file.unreadable", error.strerror or str(error))
        except Exception as error:  # noqa: BLE001  a photo that breaks us must not stop the others
            structlog.get_logger().exception("ingest.unexpected", path=str(path))
            return Failed(path, "photo.unexpected", f"{type(error).__name__}: {error}")
        return Taken(path, recorded.record, recorded.created)

    def _taken(self, path: Path) -> Recorded:
        photo = photo_of(content_of(path, self.limits), self.limits)
        with self.budget.held(photo.raw_width * photo.raw_height):
            return self._patiently(photo)

    def _patiently(self, photo: Photo) -> Recorded:
        for delay_s in self.retry_after_s:
            try:
                return self.intake.take(photo, Capture(), source=Source.INGEST)
            except Unavailable:
                if self.stop.wait(delay_s):
                    raise
        return self.intake.take(photo, Capture(), source=Source.INGEST)
