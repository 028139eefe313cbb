"""Cropped photos whose originals are retained, with real crops in a real folder."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from PIL import Image

from service.adapters.addressed_store import AddressedStore
from service.adapters.archives import OpenedArchives
from service.adapters.folder import FolderStore
from service.core.archive import ArchivedObject
from service.core.geometry import Box
from service.core.history import is_unbroken
from service.core.photo import sha256_of
from service.core.record import (
    ContextPicture,
    CropRecord,
    OriginalPhoto,
    Record,
    Retention,
    StoredPhoto,
)
from service.ports import Ledger, ObjectStore
from service.usecases.ingest import PixelBudget
from service.usecases.originals import Originals
from service.usecases.places import OwnStore
from service.usecases.purge import Purge
from service.usecases.purge_outcomes import Purged, Stays, Why
from service.usecases.recompress import Recompress
from service.usecases.restore import Restore
from tests.fake_archives import FakeArchives, FakeBucket
from tests.packing import recompress_of
from tests.painted import COUNTER, painted_photo
from tests.records import context_picture, cropped_record

BOX = Box(200, 140, 440, 300)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
ARCHIVE = "s3://archive"
CONTEXT = b"the whole in small"


@dataclass(slots=True)
class Keeping:
    """A ledger, the service's own store in a folder, and archives; it is `now` there."""

    ledger: Ledger
    folder: Path
    archives: OpenedArchives = field(default_factory=FakeArchives)
    now: datetime = NOW

    @property
    def own(self) -> ObjectStore:
        return FolderStore(self.folder)

    @property
    def place(self) -> OwnStore:
        return OwnStore(f"file://{self.folder}", "")

    @property
    def store(self) -> AddressedStore:
        return AddressedStore(self.own, self.archives)

    @property
    def originals(self) -> Originals:
        return Originals(self.archives, self.place)

    @property
    def bucket(self) -> FakeBucket:
        assert isinstance(self.archives, FakeArchives)
        return self.archives.bucket(ARCHIVE)

    @property
    def restore(self) -> Restore:
        return Restore(self.ledger, self.store, self.originals, lambda: self.now)

    def source(self, key: str, content: bytes) -> ArchivedObject:
        """What the archive's owner puts there."""
        return self.bucket.put(key, content)

    def purge(self, *, dry_run: bool = False, workers: int = 2) -> Purge:
        return Purge(
            ledger=self.ledger,
            store=self.store,
            originals=self.originals,
            budget=PixelBudget(10_000_000),
            clock=lambda: self.now,
            workers=workers,
            stop=Event(),
            dry_run=dry_run,
        )

    def recompress(self, *, dry_run: bool = False, workers: int = 1) -> Recompress:
        return recompress_of(
            self.ledger, self.store, now=self.now, dry_run=dry_run, workers=workers
        )

    def purged(self, *, retry_locked: bool = False) -> list[Purged | Stays]:
        return list(self.purge().purged(retry_locked=retry_locked))

    def uploaded(self, seed: int = 0, *, grace_over: timedelta = timedelta(days=1)) -> Record:
        """With its original in the own store, its grace over since a day unless told otherwise."""
        content = painted_photo(seed)
        key = f"originals/{sha256_of(content)}.jpg"
        self.store.put(key, content, media_type="image/jpeg")
        return self._recorded(content, key, until=self.now - grace_over)

    def archived(
        self,
        seed: int = 0,
        *,
        retention: Retention = Retention.GRACE,
        crop_key: str | None = None,
    ) -> Record:
        """With its original as a bucket's object, and the crop in the own store unless named."""
        content = painted_photo(seed)
        found = self.source(f"2019/{seed}.jpg", content)
        until = self.now - timedelta(days=1) if retention is Retention.GRACE else None
        return self._recorded(
            content,
            found.location,
            until=until,
            version=found.version_id,
            retention=retention,
            crop_key=crop_key,
        )

    def _recorded(
        self,
        content: bytes,
        key: str,
        *,
        until: datetime | None,
        version: str = "",
        retention: Retention = Retention.GRACE,
        crop_key: str | None = None,
    ) -> Record:
        original = OriginalPhoto(
            sha256=sha256_of(content),
            bytes=len(content),
            media_type="image/jpeg",
            width=640,
            height=480,
            exif_orientation=1,
            retained_until=until,
            retained_key=key,
            retained_version=version,
            retention=retention,
        )
        record = replace(
            cropped_record("replaced"),
            original=original,
            stored=self._crop(content, crop_key or f"crops/{original.sha256}.jpg"),
            crop=CropRecord(BOX, COUNTER),
            context=self._context(original.sha256),
        )
        assert self.ledger.record(record).created
        return record

    def _crop(self, content: bytes, key: str) -> StoredPhoto:
        crop = crop_of(content)
        if "://" in key:
            self.bucket.put(key.removeprefix(f"{ARCHIVE}/"), crop)
        else:
            self.store.put(key, crop, media_type="image/jpeg")
        return StoredPhoto(
            sha256=sha256_of(crop),
            bytes=len(crop),
            media_type="image/jpeg",
            width=BOX.width,
            height=BOX.height,
            key=key,
            exact=False,
        )

    def _context(self, name: str) -> ContextPicture:
        context = context_picture(name, size=len(CONTEXT))
        self.store.put(context.key, CONTEXT, media_type=context.media_type)
        return context


def crop_of(photo: bytes) -> bytes:
    with Image.open(io.BytesIO(photo)) as image:
        cut = image.crop((BOX.left, BOX.top, BOX.right, BOX.bottom))
    encoded = io.BytesIO()
    cut.save(encoded, "JPEG")
    return encoded.getvalue()


def now_of(keeping: Keeping, record: Record) -> Record:
    found = keeping.ledger.by_id(record.id)
    assert found is not None
    return found


def events(keeping: Keeping, record: Record) -> list[str]:
    history = keeping.ledger.history(record.id)
    assert is_unbroken(history)
    return [entry.event for entry in history]


def reason(keeping: Keeping, record: Record) -> str:
    why: str = json.loads(keeping.ledger.history(record.id)[-1].details)["why"]
    return why


def original_of(keeping: Keeping, record: Record) -> bytes | None:
    key = record.original.retained_key
    assert key is not None
    return keeping.store.get(key)


def assert_stays(keeping: Keeping, record: Record, why: Why) -> None:
    """Purge it twice: the original is there as before, and the history says why, once."""
    for _ in range(2):
        (outcome,) = keeping.purged()
        assert isinstance(outcome, Stays)
        assert outcome.why is why
        assert outcome.message
    content = original_of(keeping, record)
    assert content is not None
    assert events(keeping, record) == ["recorded", "retained"]
    assert reason(keeping, record) == why
