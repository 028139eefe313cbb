"""Stored JPEG crops are packed into fewer bytes, from which the very same JPEG is served.

No reading can be lost on the way. What is packed is unpacked and compared before it is put, and
read back and compared before the record is changed to it; only then is the crop as it lay there
deleted. Each attempt puts an object of its own under a name that nobody else ever uses, so
whoever restores, deletes or reprocesses the photo meanwhile, or recompresses it too, has nothing
to fear: the record changes only if it still is what was looked at, else the new object goes. A
crash leaves at worst an object that `reconcile` finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from random import SystemRandom
from threading import Event
from time import monotonic
from uuid import uuid4

import structlog

from service.core.errors import Unavailable
from service.core.history import recompressed
from service.core.photo import PhotoFormat, sha256_of
from service.core.record import AtRest, Record, StoredPhoto
from service.imaging.jpeg_xl import EXTENSION, MEDIA_TYPE, packed
from service.ports import Ledger, ObjectStore
from service.usecases.ingest import PixelBudget
from service.usecases.object_keys import object_key
from service.usecases.photos import delete_leftovers, stored_content
from service.usecases.recompress_outcomes import MEANINGS, Recompressed, StaysAsItIs, Why
from service.usecases.side_by_side import outcomes

PAGE = 500
LEFT_ALONE_FOR = timedelta(minutes=10)
"""Of a photo that came in: whoever sends it again after a timeout finds its crop where it was."""
MOST_PIXELS = 25_000_000
"""Of a crop that is packed: whoever looks at it has it unpacked whole, 4 MB and 15 ms a megapixel.
"""

Outcome = Recompressed | StaysAsItIs
Page = Callable[[Record | None], tuple[Record, ...]]
"""The records that come after one, in order."""


@dataclass(frozen=True, slots=True)
class Recompress:
    """`workers` crops are looked at at once; once `stop` is set, no other is begun."""

    ledger: Ledger
    store: ObjectStore
    budget: PixelBudget
    clock: Callable[[], datetime]
    workers: int
    stop: Event
    rests: float = 0.0
    """After each crop, as a share of the time that it took: what else there is to do goes on."""
    dry_run: bool = False
    """Packs everything, and keeps nothing of it."""
    page: int = PAGE

    def packed(self, *, limit: int | None = None) -> Iterator[Outcome]:
        """One for each of at most `limit` crops that nobody has looked at before.

        `Unavailable` is raised after those in hand have ended.
        """
        before = self.clock() - LEFT_ALONE_FOR

        def page(after: Record | None) -> tuple[Record, ...]:
            return self.ledger.never_packed(before, limit=self.page, after=after)

        return self._outcomes(self._packed, page, limit)

    def unpacked(self, *, limit: int | None = None) -> Iterator[Outcome]:
        """As `packed`, of packed crops, which are JPEGs in the store again."""

        def page(after: Record | None) -> tuple[Record, ...]:
            return self.ledger.packed(limit=self.page, after=after)

        return self._outcomes(self._unpacked, page, limit)

    def _outcomes(
        self, work: Callable[[Record], Outcome | None], page: Page, limit: int | None
    ) -> Iterator[Outcome]:
        def outcome(record: Record) -> Outcome | None:
            return self._outcome(work, record)

        records = islice(_shuffled(page), limit)
        return outcomes(outcome, records, name="crop", workers=self.workers, stop=self.stop)

    def _outcome(self, work: Callable[[Record], Outcome | None], record: Record) -> Outcome | None:
        """None where somebody else was faster, or has changed the record."""
        begun = monotonic()
        try:
            return work(record) if self._is_still(record) else None
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  one that breaks us must not stop the others
            structlog.get_logger().exception("recompress.unexpected", photo_id=str(record.id))
            return StaysAsItIs(record, Why.UNEXPECTED, f"{type(error).__name__}: {error}")
        finally:
            self.stop.wait((monotonic() - begun) * self.rests)

    def _packed(self, record: Record) -> Outcome | None:
        stored = record.stored
        if stored.width * stored.height > MOST_PIXELS:
            return self._stays(record, Why.TOO_LARGE)
        content = self._content(stored)
        if isinstance(content, Why):
            return self._faulty(record, content)
        with self.budget.held(stored.width * stored.height):
            small = packed(content)
        if small is None:
            return self._stays(record, Why.REFUSED)
        if len(small) >= len(content):
            return self._stays(record, Why.NO_GAIN)
        after = replace(
            stored,
            key=_new_key("packed", stored, EXTENSION),
            bytes=len(small),
            at_rest=AtRest.JXL,
            unpacked_bytes=len(content),
        )
        return self._replaced(record, after, small, media_type=MEDIA_TYPE)

    def _unpacked(self, record: Record) -> Outcome | None:
        stored = record.stored
        content = self._content(stored)
        if isinstance(content, Why):
            return self._faulty(record, content)
        after = replace(
            stored,
            key=_new_key("unpacked", stored, PhotoFormat(stored.media_type).extension),
            bytes=len(content),
            at_rest=None,
            unpacked_bytes=None,
        )
        return self._replaced(record, after, content, media_type=stored.media_type)

    def _content(self, stored: StoredPhoto) -> bytes | Why:
        """The JPEG, or what is wrong with it."""
        content = stored_content(self.store, stored)
        if content is None:
            return Why.CROP_MISSING
        return content if sha256_of(content) == stored.sha256 else Why.CROP_CHANGED

    def _replaced(
        self, record: Record, stored: StoredPhoto, content: bytes, *, media_type: str
    ) -> Recompressed | None:
        """Put, read back, said, and only then the object before it is deleted."""
        if self.dry_run:
            return Recompressed(record, stored.bytes)
        self._put(record, stored.key, content, media_type=media_type)
        told = recompressed(record.stored, stored, at=self.clock())
        if not self.ledger.change(record, replace(record, stored=stored), told=told):
            delete_leftovers(self.store, {stored.key}, photo_id=record.id)
            return None
        self._delete(record.stored.key, record)
        return Recompressed(record, stored.bytes)

    def _put(self, record: Record, key: str, content: bytes, *, media_type: str) -> None:
        self.store.put(key, content, media_type=media_type)
        if self.store.get(key) != content:
            delete_leftovers(self.store, {key}, photo_id=record.id)
            raise Unavailable(
                "store.unavailable",
                f"the store gave back other bytes than were put as {key}; the crop of photo "
                f"{record.id} stays as it was",
            )

    def _delete(self, key: str, record: Record) -> None:
        """But not of a photo that was deleted, which may be coming in anew under the same key."""
        now = self.ledger.by_id(record.id)
        if now is not None and key not in now.keys:
            delete_leftovers(self.store, {key}, photo_id=record.id)

    def _stays(self, record: Record, why: Why) -> StaysAsItIs | None:
        """Which is kept in mind, so that no later pass tries it again."""
        after = replace(record, stored=replace(record.stored, at_rest=AtRest.AS_SERVED))
        changed = self.dry_run or self.ledger.change(record, after)
        return StaysAsItIs(record, why, MEANINGS[why]) if changed else None

    def _faulty(self, record: Record, why: Why) -> StaysAsItIs | None:
        """None where somebody has moved or deleted it while it was read."""
        if not self._is_still(record):
            return None
        return StaysAsItIs(record, why, f"{MEANINGS[why]}: {record.stored.key}")

    def _is_still(self, record: Record) -> bool:
        return self.ledger.by_id(record.id) == record


def _new_key(kind: str, stored: StoredPhoto, extension: str) -> str:
    return object_key(kind, f"{stored.sha256}-{uuid4().hex[:12]}", extension)


def _shuffled(page: Page) -> Iterator[Record]:
    """A page at a time, so that many workers seldom meet at the same crop."""
    records = page(None)
    while records:
        yield from SystemRandom().sample(records, len(records))
        records = page(records[-1])
