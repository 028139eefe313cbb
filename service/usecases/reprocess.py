"""An object of an archive goes the way of an upload: judged, cropped, stored, accounted for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Semaphore
from time import perf_counter

import structlog
from PIL import Image

from service.core.archive import CROP_MARK, MAX_LOCATION_BYTES, ArchivedObject, is_cut
from service.core.crop import Reason
from service.core.errors import MetercropError, ObjectRejected, Unavailable
from service.core.job import Item, ItemState, Job, Mode, Outcome, SamplePicture
from service.core.photo import Limits, Photo
from service.core.record import (
    Capture,
    OriginalPhoto,
    Record,
    Retention,
    Source,
    Status,
    StoredPhoto,
)
from service.imaging.probe import photo_of
from service.imaging.sample_picture import sample_picture
from service.ports import Archives, Ledger, ObjectStore
from service.usecases.account import Entry, account_of, original_photo, stored_photo
from service.usecases.context import put_context
from service.usecases.ingest import PixelBudget
from service.usecases.optimize import Optimized, Optimizer
from service.usecases.places import OwnStore, Place, crop_place, named_apart

TOO_LARGE = "photo.too_large"
PICTURES = 60
"""On a contact sheet; more than people look at."""


@dataclass(frozen=True, slots=True)
class Worked:
    """An outcome that is not settled yet, and a picture where a dry run wants one.

    `replaced` are the objects of an earlier model, which nothing refers to once this is settled.
    """

    outcome: Outcome
    picture: SamplePicture | None = None
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reprocess:
    """Works on single items; safe to use from many threads. `clock` tells UTC."""

    optimizer: Optimizer
    ledger: Ledger
    archives: Archives
    own_store: OwnStore
    store: ObjectStore
    """The same, for context pictures: those lie in it wherever the crops go."""
    limits: Limits
    budget: PixelBudget
    cores: Semaphore
    """As many as there are: more photos in work at once would only be in each other's way."""
    clock: Callable[[], datetime]

    def worked(self, job: Job, item: Item, *, earlier: Item | None) -> Worked:
        """What becomes of the item; all that is wrong with it alone is its outcome.

        `earlier` is what another job made of the very object. Nothing but the stored object is
        written: the outcome is for `JobLedger.settle`. Raises `Unavailable`.
        """
        try:
            return self._worked(job, item, earlier)
        except Unavailable:
            raise
        except MetercropError as error:
            return self._failed(item, error.code, str(error))
        except Exception as error:  # noqa: BLE001  an object that breaks us must not stop the others
            structlog.get_logger().exception("job.unexpected", object=item.object.location)
            return self._failed(item, "photo.unexpected", f"{type(error).__name__}: {error}")

    def _worked(self, job: Job, item: Item, earlier: Item | None) -> Worked:
        if is_cut(item.object.key):
            raise ObjectRejected(
                "object.key_too_long",
                f"its address has more than {MAX_LOCATION_BYTES} bytes, which no list can hold; "
                "give shorter names to its folders",
            )
        if CROP_MARK in item.object.key.rpartition("/")[2]:
            return self._skipped(item, "is_crop", "it is a crop that metercrop made")
        if item.object.location.startswith(f"{self.own_store.root}/{self.own_store.prefix}"):
            return self._skipped(item, "is_own", "it belongs to metercrop's own store")
        if earlier is not None and (known := self._known(item, earlier)) is not None:
            return known
        if item.object.bytes > self.limits.max_bytes:
            raise ObjectRejected(
                TOO_LARGE,
                f"it has {item.object.bytes} bytes, more than the {self.limits.max_bytes} of "
                "METERCROP_MAX_BYTES",
            )
        started = perf_counter()
        content = self.archives.opened(item.object.root).read(item.object)
        photo = photo_of(content, self.limits)
        before = self.ledger.of_bytes(photo.sha256)
        if before is not None and before.original.sha256 != photo.sha256:
            return self._skipped(item, "is_crop", "it is the crop of a photo that is recorded")
        if before is not None and self._is_done(before):
            return self._already_done(item, before)
        return self._taken(job, item, photo, before, started)

    def _known(self, item: Item, earlier: Item) -> Worked | None:
        """Without reading the object: it is the same that another job had."""
        if earlier.code == TOO_LARGE and item.object.bytes <= self.limits.max_bytes:
            return None
        if earlier.state is ItemState.FAILED:
            message = f"refused before as {earlier.code}, and unchanged since: {earlier.message}"
            return self._skipped(item, "already_refused", message)
        photo_id = earlier.photo_id
        record = None if photo_id is None else self.ledger.by_id(photo_id)
        if record is None or not self._is_done(record):
            return None
        return self._already_done(item, record)

    def _is_done(self, record: Record) -> bool:
        """By this model and these rules; what somebody restored stays as they want it."""
        restored = record.reason is Reason.RESTORED
        return restored or record.fingerprint == self.optimizer.fingerprint(record.original.sha256)

    def _taken(
        self, job: Job, item: Item, photo: Photo, before: Record | None, started: float
    ) -> Worked:
        with self.budget.held(photo.raw_width * photo.raw_height), self.cores:
            judged = self.optimizer.judged(photo)
            optimized = self.optimizer.carried_out(photo, judged)
            if job.plan.dry_run:
                outcome = self._ended(item, optimized, photo)
                return Worked(outcome, _picture(item, judged.raw, photo, optimized))
        storing = perf_counter()
        stored = self._stored(job, item.object, photo, optimized, before)
        context = put_context(self.store, self.optimizer, photo, optimized)
        entry = Entry(
            capture=Capture() if before is None else before.capture,
            source=Source.BATCH,
            received_at=self.clock(),
            original=self._original(job, item.object, photo, optimized),
            stored=stored,
            context=context,
            started=started,
            storing=storing,
        )
        record = account_of(self.optimizer, photo, optimized, entry)
        if before is not None:
            record = _succeeding(before, record)
        outcome = self._ended(item, optimized, photo)
        ended = replace(outcome.item, stored_key=stored.key, photo_id=record.id)
        replaced = () if before is None else _replaced(before, record)
        return Worked(Outcome(ended, record, supersedes=before is not None), replaced=replaced)

    def _stored(
        self,
        job: Job,
        source: ArchivedObject,
        photo: Photo,
        optimized: Optimized,
        before: Record | None,
    ) -> StoredPhoto:
        """A kept original stays where it is in `replace`.

        There, where an original is to be given up for it, a crop is read back and compared.
        """
        if optimized.crop is None and job.plan.mode is Mode.REPLACE:
            return stored_photo(photo, optimized, key=self.own_store.key_of(_place(source)))
        place = crop_place(job.plan, source, optimized.format.extension, own_store=self.own_store)
        if before is not None:
            place = named_apart(place, self.optimizer.fingerprint(photo.sha256))
        archive = self.archives.opened(place.root)
        archive.create(
            place.key,
            optimized.content,
            media_type=optimized.format,
            read_back=job.plan.mode is Mode.REPLACE,
        )
        return stored_photo(photo, optimized, key=self.own_store.key_of(place))

    def _original(
        self, job: Job, source: ArchivedObject, photo: Photo, optimized: Optimized
    ) -> OriginalPhoto:
        """Where the source stays beside its crop, for how long, and why."""
        original = original_photo(photo)
        retained = replace(
            original, retained_key=source.location, retained_version=source.version_id
        )
        if job.plan.mode is Mode.COPY:
            return replace(retained, retention=Retention.SOURCE)
        if optimized.crop is None:
            return original
        until = self.clock() + timedelta(days=job.plan.keep_originals_days)
        return replace(retained, retention=Retention.GRACE, retained_until=until)

    def _ended(self, item: Item, optimized: Optimized, photo: Photo) -> Outcome:
        kept = optimized.crop is None
        return Outcome(
            replace(
                item,
                state=ItemState.KEPT_ORIGINAL if kept else ItemState.CROPPED,
                code=optimized.reason,
                original_bytes=len(photo.content),
                stored_bytes=optimized.kept_bytes,
                context_bytes=optimized.kept_bytes - len(optimized.content),
                finished_at=self.clock(),
            )
        )

    def _already_done(self, item: Item, record: Record) -> Worked:
        skipped = self._skipped(item, "already_done", "the same photo, model and rules")
        done = replace(skipped.outcome.item, photo_id=record.id, stored_key=record.stored.key)
        return Worked(Outcome(done))

    def _skipped(self, item: Item, code: str, message: str) -> Worked:
        return self._without_record(item, ItemState.SKIPPED, code, message)

    def _failed(self, item: Item, code: str, message: str) -> Worked:
        return self._without_record(item, ItemState.FAILED, code, message)

    def _without_record(self, item: Item, state: ItemState, code: str, message: str) -> Worked:
        now = self.clock()
        ended = replace(item, state=state, code=code, message=message, finished_at=now)
        return Worked(Outcome(ended))


def _picture(
    item: Item, raw: Image.Image, photo: Photo, optimized: Optimized
) -> SamplePicture | None:
    """For the contact sheet: of the first items, which are as random as any of a sample."""
    if item.number >= PICTURES:
        return None
    return SamplePicture(item.number, sample_picture(raw, photo.orientation, optimized.crop))


def _place(source: ArchivedObject) -> Place:
    return Place(source.root, source.key)


def _succeeding(before: Record, record: Record) -> Record:
    """The same photo's account by another model: its identity, sender's words and grace stay.

    But none of its grace where the original itself is what is stored now.
    """
    retained_key = before.original.retained_key
    stays = retained_key is not None and retained_key != record.stored.key
    original = before.original if stays else record.original
    return replace(
        record,
        id=before.id,
        received_at=before.received_at,
        source=before.source,
        original=original,
    )


def _replaced(before: Record, record: Record) -> tuple[str, ...]:
    """The earlier objects that only `before` refers to, and that can be spared.

    A kept original is only spared where the archive still holds the same bytes.
    """
    needed = {*record.keys, record.stored.key, record.original.retained_key}
    if before.status is Status.KEPT_ORIGINAL and record.original.retained_key is None:
        needed.add(before.stored.key)
    return tuple(key for key in before.keys if key not in needed)
