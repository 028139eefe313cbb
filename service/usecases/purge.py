"""Originals whose grace is over are deleted, once their crops have proved to be whole.

No reading can be lost to somebody who restores, deletes or reprocesses the photo meanwhile: before
an original is deleted, its record is changed to say that this is about to happen, by an update
that fails where the record is no longer what was looked at. From then on no record may come to
depend on that very object: `restore` copies it, jobs leave the photo alone, and nothing takes the
mark back, so that even a process that was halted in between may go on days later. What a crash
leaves so marked, the next purge ends: it finds the object, or finds it gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event

import structlog

from service.core.archive import ArchivedObject, Removal
from service.core.errors import MetercropError, ObjectRejected, Unavailable
from service.core.history import Told, purged, retained
from service.core.record import Record, Retention, is_address
from service.ports import Ledger, ObjectStore
from service.usecases.crop_check import fault_of_crop
from service.usecases.ingest import PixelBudget
from service.usecases.originals import Originals, Presence, without_retention
from service.usecases.purge_outcomes import MEANINGS, Purged, Stays, Why
from service.usecases.side_by_side import outcomes

PAGE = 500


@dataclass(frozen=True, slots=True)
class Purge:
    """`workers` photos are looked at at once; once `stop` is set, no other is begun."""

    ledger: Ledger
    store: ObjectStore
    """Understands whole addresses as keys too."""
    originals: Originals
    budget: PixelBudget
    clock: Callable[[], datetime]
    workers: int
    stop: Event
    dry_run: bool = False
    """Looks at everything, and changes nothing."""
    page: int = PAGE
    """So many records are asked for at a time."""

    def purged(self, *, retry_locked: bool = False) -> Iterator[Purged | Stays]:
        """One for each original whose grace is over; a photo that others changed has none.

        `Unavailable` is raised after those in hand have ended.
        """
        candidates = self._candidates(retry_locked=retry_locked)
        return outcomes(
            self._outcome, candidates, name="purge", workers=self.workers, stop=self.stop
        )

    def _candidates(self, *, retry_locked: bool) -> Iterator[Record]:
        now = self.clock()
        page = self.ledger.due(now, limit=self.page)
        while page:
            yield from page
            page = self.ledger.due(now, limit=self.page, after=page[-1])
        page = self.ledger.locked(limit=self.page) if retry_locked else ()
        while page:
            yield from page
            page = self.ledger.locked(limit=self.page, after=page[-1])

    def _outcome(self, record: Record) -> Purged | Stays | None:
        try:
            return self._settled(record)
        except Unavailable as error:
            self._require_foreign(error, record)
            return Stays(record, Why.UNREACHABLE, str(error))
        except MetercropError as error:
            return self._stays(record, Why.ACCESS_DENIED, str(error))
        except Exception as error:  # noqa: BLE001  one that breaks us must not stop the others
            structlog.get_logger().exception("purge.unexpected", photo_id=str(record.id))
            return Stays(record, Why.UNEXPECTED, f"{type(error).__name__}: {error}")

    def _require_foreign(self, error: Unavailable, record: Record) -> None:
        """Somebody's archive that is away for good must not keep all others waiting."""
        keys = (record.stored.key, record.original.retained_key or "")
        if error.code != "store.unavailable" or not any(map(is_address, keys)):
            raise error
        self.store.check()

    def _settled(self, record: Record) -> Purged | Stays | None:
        if record.crop is None or record.stored.sha256 == record.original.sha256:
            return self._stays(record, Why.NO_CROP)
        faulty = fault_of_crop(record, self.store, self.budget)
        if faulty is not None:
            return self._stays(record, Why(faulty.fault), faulty.message)
        finding = self.originals.finding(record.original)
        match finding.presence:
            case Presence.CHANGED:
                return self._stays(record, Why.ORIGINAL_CHANGED)
            case Presence.HIDDEN:
                return self._stays_as(_retained(record, Retention.MARKED), record)
            case Presence.GONE:
                return self._purged(record, was=record)
        return None if finding.object is None else self._deleted(record, finding.object)

    def _deleted(self, record: Record, found: ArchivedObject) -> Purged | Stays | None:
        """Said first, then done; None where somebody has changed the record."""
        if self.dry_run:
            return Purged(record)
        going = _retained(record, Retention.GRACE)
        if not self.ledger.change(record, going):
            return None
        try:
            removal = self.originals.delete(record.original, found)
        except ObjectRejected as error:
            changed = error.code == "object.changed"
            why = Why.ORIGINAL_CHANGED if changed else Why.ACCESS_DENIED
            return self._stays(going, why, str(error))
        match removal:
            case Removal.GONE:
                return self._purged(going, was=record)
            case Removal.LOCKED:
                return self._stays_as(_retained(going, Retention.LOCKED), going)
            case Removal.MARKED:
                version = found.version_id
                marked = _retained(going, Retention.MARKED, version=version)
                return self._stays_as(marked, going)

    def _purged(self, record: Record, *, was: Record) -> Purged | None:
        after = replace(record, original=without_retention(record.original))
        told = purged(was.original, at=self.clock())
        return Purged(was) if self._changed(record, after, told) else None

    def _stays_as(self, after: Record, before: Record) -> Stays | None:
        """Its lock or its delete marker is kept in mind, and no purge asks again by itself."""
        retention = after.original.retention
        why = Why.LOCKED if retention is Retention.LOCKED else Why.MARKED
        told = retained(after.original, why=why, at=self.clock())
        changed = self._changed(before, after, self._unless_said(after, told))
        return Stays(before, why, MEANINGS[why]) if changed else None

    def _stays(self, record: Record, why: Why, message: str = "") -> Stays | None:
        told = self._unless_said(record, retained(record.original, why=why, at=self.clock()))
        unchanged = told is None or self._changed(record, record, told)
        return Stays(record, why, message or MEANINGS[why]) if unchanged else None

    def _changed(self, before: Record, after: Record, told: Told | None) -> bool:
        return self.dry_run or self.ledger.change(before, after, told=told)

    def _unless_said(self, record: Record, told: Told) -> Told | None:
        """None where the history ends with the same: each purge would say it anew."""
        history = self.ledger.history(record.id)
        return None if history and history[-1].tells(told) else told


def _retained(record: Record, retention: Retention, *, version: str | None = None) -> Record:
    """Without an end: it was promised until then, and what follows is promised to nobody."""
    original = replace(record.original, retention=retention, retained_until=None)
    if version is not None:
        original = replace(original, retained_version=version)
    return replace(record, original=original)
