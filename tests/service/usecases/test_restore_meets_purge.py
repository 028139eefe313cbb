"""The same photo restored and purged at once, on both databases: its reading is never lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine

from service.adapters.sql.ledger import SqlLedger
from service.core.archive import ArchivedObject, Removal
from service.core.errors import NotFound, Unavailable
from service.core.record import Record, Retention, Status
from service.usecases.photos import delete_photo, whole_object
from service.usecases.purge_outcomes import Purged
from tests.fake_archives import FakeArchives, FakeBucket
from tests.retained import ARCHIVE, NOW, Keeping, events, now_of


@dataclass(slots=True)
class SlowBucket(FakeBucket):
    """What happens meanwhile, however long a process is halted there: each once."""

    read_once: list[Callable[[], object]] = field(default_factory=list)
    """After an object was read, as purge does before it decides."""
    before: list[Callable[[], object]] = field(default_factory=list)
    """Before a deletion."""
    after: list[Callable[[], object]] = field(default_factory=list)

    def read(self, found: ArchivedObject) -> bytes:
        content = super(SlowBucket, self).read(found)
        if self.read_once:
            self.read_once.pop()()
        return content

    def delete(self, found: ArchivedObject) -> Removal:
        if self.before:
            self.before.pop()()
        removal = super(SlowBucket, self).delete(found)
        if self.after:
            self.after.pop()()
        return removal


@pytest.fixture
def keeping(engine: Engine, tmp_path: Path) -> Keeping:
    archives = FakeArchives()
    archives.buckets[ARCHIVE] = SlowBucket(ARCHIVE)
    return Keeping(SqlLedger(engine), tmp_path / "objects", archives)


def bucket_of(keeping: Keeping) -> SlowBucket:
    bucket = keeping.bucket
    assert isinstance(bucket, SlowBucket)
    return bucket


def assert_can_be_read(keeping: Keeping, record: Record) -> Record:
    now = now_of(keeping, record)
    whole_object(keeping.store, now.stored.key, sha256=now.stored.sha256)
    return now


def test_restore_in_the_last_moment_before_the_deletion_has_a_copy(keeping: Keeping) -> None:
    record = keeping.archived()
    bucket_of(keeping).before = [lambda: keeping.restore.restored(record.id)]

    assert keeping.purged() == []

    assert keeping.bucket.find("2019/0.jpg") is None
    assert assert_can_be_read(keeping, record).status is Status.KEPT_ORIGINAL
    assert events(keeping, record) == ["recorded", "restored"]


def test_restore_right_behind_the_deletion_comes_too_late(keeping: Keeping) -> None:
    record = keeping.archived()

    def restore() -> None:
        with pytest.raises(NotFound):
            keeping.restore.restored(record.id)

    bucket_of(keeping).after = [restore]

    assert keeping.purged() == [Purged(record)]
    assert assert_can_be_read(keeping, record).status is Status.CROPPED
    assert events(keeping, record) == ["recorded", "purged"]


def test_restore_that_a_whole_purge_overtakes_comes_too_late(keeping: Keeping) -> None:
    record = keeping.uploaded()
    overtaken = [keeping.purged]

    def clock() -> datetime:
        """Asked for once the original has been read, and before anything is changed."""
        if overtaken:
            overtaken.pop()()
        return NOW

    with pytest.raises(NotFound) as gone:
        replace(keeping.restore, clock=clock).restored(record.id)

    assert gone.value.code == "original.gone"
    assert assert_can_be_read(keeping, record).status is Status.CROPPED
    assert events(keeping, record) == ["recorded", "purged"]


def test_purge_that_a_whole_restore_overtakes_deletes_nothing(keeping: Keeping) -> None:
    record = keeping.archived()
    bucket_of(keeping).read_once = [lambda: keeping.restore.restored(record.id)]

    assert keeping.purged() == []

    assert assert_can_be_read(keeping, record).stored.key == f"{ARCHIVE}/2019/0.jpg"
    assert events(keeping, record) == ["recorded", "restored"]


def test_deletion_that_was_halted_until_all_others_were_done_does_no_harm(
    keeping: Keeping,
) -> None:
    """Meanwhile another purge met a lock, somebody restored the photo, and the lock was lifted."""
    record = keeping.archived()
    bucket = bucket_of(keeping)

    def while_it_was_halted() -> None:
        bucket.locked = {"2019/0.jpg"}
        keeping.purged()
        assert now_of(keeping, record).original.retention is Retention.LOCKED
        keeping.restore.restored(record.id)
        bucket.locked = set()

    bucket.before = [while_it_was_halted]
    assert keeping.purged() == []

    assert bucket.find("2019/0.jpg") is None
    assert assert_can_be_read(keeping, record).status is Status.KEPT_ORIGINAL
    assert events(keeping, record) == ["recorded", "retained", "restored"]


class Crash(BaseException):
    """The process ends here."""


def crash() -> None:
    raise Crash


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_a_crash_left_begun_the_next_purge_ends(keeping: Keeping, moment: str) -> None:
    record = keeping.archived()
    setattr(bucket_of(keeping), moment, [crash])
    with pytest.raises(Crash):
        keeping.purged()
    assert now_of(keeping, record).original.retained_until is None
    assert events(keeping, record) == ["recorded"]

    (outcome,) = keeping.purged()

    assert isinstance(outcome, Purged)
    assert keeping.bucket.find("2019/0.jpg") is None
    assert assert_can_be_read(keeping, record).original.retained_key is None
    assert events(keeping, record) == ["recorded", "purged"]


def test_original_that_a_crashed_purge_left_behind_can_still_be_restored(keeping: Keeping) -> None:
    record = keeping.archived()
    bucket_of(keeping).before = [crash]
    with pytest.raises(Crash):
        keeping.purged()

    keeping.restore.restored(record.id)

    assert keeping.purged() == []
    assert assert_can_be_read(keeping, record).status is Status.KEPT_ORIGINAL


def test_two_purges_at_once_count_each_original_once(keeping: Keeping) -> None:
    records = [keeping.uploaded(seed) for seed in range(6)]
    records += [keeping.archived(seed) for seed in range(6, 12)]
    start = Barrier(2)

    def purged(_: int) -> int:
        start.wait(timeout=60)
        return sum(isinstance(outcome, Purged) for outcome in keeping.purged())

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(purged, range(2))) == len(records)
    for record in records:
        assert_can_be_read(keeping, record)
        assert events(keeping, record) == ["recorded", "purged"]


def test_no_reading_is_lost_where_many_photos_are_restored_and_purged_at_once(
    keeping: Keeping,
) -> None:
    records = [keeping.uploaded(seed) for seed in range(8)]
    records += [keeping.archived(seed) for seed in range(8, 16)]
    start = Barrier(6)

    def work(n: int) -> None:
        start.wait(timeout=60)
        if n < 2:
            keeping.purged()
            return
        for record in records[:: 1 if n % 2 else -1]:
            # Between the purge of an original and the word of it, asking later is what is advised.
            with suppress(NotFound, Unavailable):
                keeping.restore.restored(record.id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))

    for record in records:
        now = assert_can_be_read(keeping, record)
        told = events(keeping, record)
        if now.status is Status.KEPT_ORIGINAL:
            assert told == ["recorded", "restored"]
        else:
            assert told == ["recorded", "purged"]
    assert keeping.purged() == []


def test_photo_deleted_while_it_is_purged_is_gone_for_good(keeping: Keeping) -> None:
    record = keeping.archived()
    bucket_of(keeping).before = [
        lambda: delete_photo(keeping.ledger, keeping.store, record.id, at=NOW)
    ]

    assert keeping.purged() == []

    assert keeping.ledger.by_id(record.id) is None
    assert events(keeping, record) == ["recorded", "deleted"]
