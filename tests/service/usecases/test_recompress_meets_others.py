"""A crop recompressed while it ends midway or others are at the photo: on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from service.adapters.addressed_store import AddressedStore
from service.adapters.folder import FolderStore
from service.adapters.sql.ledger import SqlLedger
from service.core.errors import Unavailable
from service.core.history import Told
from service.core.record import PhotoFilter, Record, Status
from service.core.savings import Period
from service.ports import ObjectStore
from service.usecases.photos import delete_photo
from service.usecases.recompress import Recompress
from service.usecases.recompress_outcomes import Recompressed
from service.usecases.reconcile import Fault, Reconcile
from tests.packing import LATER, content_of, keys_in
from tests.retained import NOW, Keeping, crop_of, events, now_of
from tests.retained_on_s3 import keeping_on
from tests.servers.s3 import S3Server

STEPS = (
    "before put",
    "after put",
    "after get",
    "before change",
    "after change",
    "before delete",
    "after delete",
)


class Killed(BaseException):
    """No cleaning up comes behind it, as behind a process that is killed."""


@dataclass(slots=True)
class Moments:
    """What happens at which step, once each."""

    at: dict[str, Callable[[], object]] = field(default_factory=dict)

    def come(self, step: str) -> None:
        happens = self.at.pop(step, None)
        if happens is not None:
            happens()


@dataclass(frozen=True, slots=True)
class SteppedStore(AddressedStore):
    moments: Moments = field(default_factory=Moments)

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        self.moments.come("before put")
        super(SteppedStore, self).put(key, content, media_type=media_type)
        self.moments.come("after put")

    def get(self, key: str) -> bytes | None:
        self.moments.come("before get")
        content = super(SteppedStore, self).get(key)
        self.moments.come("after get" if "packed/" in key else "after the crop was read")
        return content

    def delete(self, key: str) -> None:
        self.moments.come("before delete")
        super(SteppedStore, self).delete(key)
        self.moments.come("after delete")


class SteppedLedger(SqlLedger):
    moments = Moments()

    def change(self, before: Record, after: Record, *, told: Told | None = None) -> bool:
        self.moments.come("before change")
        changed = super().change(before, after, told=told)
        self.moments.come("after change")
        return changed


@pytest.fixture
def keeping(engine: Engine, tmp_path: Path) -> Keeping:
    return Keeping(SqlLedger(engine), tmp_path / "objects")


def recompress_with(
    keeping: Keeping, engine: Engine, *, happening: Callable[[], object], at: str
) -> Recompress:
    moments = Moments({at: happening})
    ledger = SteppedLedger(engine)
    ledger.moments = moments
    store = SteppedStore(keeping.own, keeping.archives, moments)
    return replace(keeping.recompress(), ledger=ledger, store=store)


def killed() -> None:
    raise Killed


def assert_whole(keeping: Keeping, record: Record) -> Record:
    """Served are the bytes of the crop, and all that the record owns is there."""
    assert content_of(keeping.ledger, keeping.store, record) == crop_of(content(keeping, record))
    now = now_of(keeping, record)
    assert set(now.keys) <= keys_in(keeping.own)
    return now


def content(keeping: Keeping, record: Record) -> bytes:
    original = keeping.store.get(record.original.retained_key or "")
    assert original is not None
    return original


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_leaves_a_whole_photo_and_goes_on(
    keeping: Keeping, engine: Engine, step: str
) -> None:
    record = keeping.uploaded()
    with pytest.raises(Killed):
        list(recompress_with(keeping, engine, happening=killed, at=step).packed())
    assert_whole(keeping, record)

    list(keeping.recompress().packed())

    now = assert_whole(keeping, record)
    assert now.stored.is_packed
    assert events(keeping, record) == ["recorded", "recompressed"]
    left = keys_in(keeping.own) - set(now.keys)
    assert len(left) <= 1
    repair = Reconcile(keeping.ledger, keeping.store, lambda: LATER, repair=True)
    assert {(each.fault, each.key) for each in repair.differences()} == {
        (Fault.ORPHAN, key) for key in left
    }
    assert keys_in(keeping.own) == set(now.keys)


@pytest.mark.parametrize("step", STEPS)
def test_killed_while_unpacking_it_leaves_a_whole_photo_too(
    keeping: Keeping, engine: Engine, step: str
) -> None:
    record = keeping.uploaded()
    list(keeping.recompress().packed())
    with pytest.raises(Killed):
        list(recompress_with(keeping, engine, happening=killed, at=step).unpacked())
    assert_whole(keeping, record)

    list(keeping.recompress().unpacked())

    now = assert_whole(keeping, record)
    assert not now.stored.is_packed
    assert len(keys_in(keeping.own) - set(now.keys)) <= 1


@pytest.mark.parametrize("step", ["after the crop was read", "after put", "before change"])
def test_restore_that_overtakes_it_stays(keeping: Keeping, engine: Engine, step: str) -> None:
    record = keeping.uploaded()

    def restore() -> None:
        keeping.restore.restored(record.id)

    work = recompress_with(keeping, engine, happening=restore, at=step)

    assert list(work.packed()) == []

    now = now_of(keeping, record)
    assert now.status is Status.KEPT_ORIGINAL
    assert keys_in(keeping.own) == set(now.keys)
    assert events(keeping, record) == ["recorded", "restored"]


@pytest.mark.parametrize("step", ["after the crop was read", "after put", "before change"])
def test_purge_that_overtakes_it_has_its_way_first(
    keeping: Keeping, engine: Engine, step: str
) -> None:
    record = keeping.uploaded()
    crop = keeping.store.get(record.stored.key)
    work = recompress_with(keeping, engine, happening=keeping.purged, at=step)

    assert list(work.packed()) == []
    assert keys_in(keeping.own) == set(now_of(keeping, record).keys)

    assert len(list(keeping.recompress().packed())) == 1
    assert content_of(keeping.ledger, keeping.store, record) == crop
    assert events(keeping, record) == ["recorded", "purged", "recompressed"]


@pytest.mark.parametrize(
    "step", ["after the crop was read", "after put", "before change", "after change"]
)
def test_deletion_that_overtakes_it_leaves_nothing_that_is_served(
    keeping: Keeping, engine: Engine, step: str
) -> None:
    record = keeping.uploaded()

    def delete() -> None:
        delete_photo(keeping.ledger, keeping.store, record.id, at=NOW)

    list(recompress_with(keeping, engine, happening=delete, at=step).packed())

    assert keeping.ledger.by_id(record.id) is None
    left = keys_in(keeping.own)
    # Behind the change the old crop may be that of a new upload, so `reconcile` is to judge.
    assert left == ({record.stored.key} if step == "after change" else set())


def test_deletion_that_it_overtakes_leaves_nothing(keeping: Keeping, engine: Engine) -> None:
    record = keeping.uploaded()
    overtaken = Moments({"before delete": lambda: list(keeping.recompress().packed())})
    store = SteppedStore(keeping.own, keeping.archives, overtaken)

    delete_photo(keeping.ledger, store, record.id, at=NOW)

    assert keys_in(keeping.own) == set()
    assert events(keeping, record) == ["recorded", "recompressed", "deleted"]


def test_photo_deleted_and_sent_again_meanwhile_keeps_its_crop(
    keeping: Keeping, engine: Engine
) -> None:
    record = keeping.uploaded()
    original, crop = content(keeping, record), keeping.store.get(record.stored.key)
    again = replace(record, id=uuid4(), context=None)

    def delete_and_send_again() -> None:
        """Under the key that it had, which depends on photo and model alone."""
        delete_photo(keeping.ledger, keeping.store, record.id, at=NOW)
        keeping.store.put(record.original.retained_key or "", original, media_type="image/jpeg")
        keeping.store.put(record.stored.key, crop or b"", media_type="image/jpeg")
        assert keeping.ledger.record(again).created

    list(
        recompress_with(
            keeping, engine, happening=delete_and_send_again, at="after change"
        ).packed()
    )

    assert keeping.store.get(record.stored.key) == crop
    assert assert_whole(keeping, again) == again


def test_crop_made_anew_meanwhile_stays(keeping: Keeping, engine: Engine) -> None:
    record = keeping.uploaded()
    crop = keeping.store.get(record.stored.key) or b""
    anew = replace(record, stored=replace(record.stored, key="crops/anew.jpg"))

    def make_anew() -> None:
        keeping.store.put(anew.stored.key, crop, media_type="image/jpeg")
        assert keeping.ledger.change(record, anew)
        keeping.store.delete(record.stored.key)

    assert (
        list(recompress_with(keeping, engine, happening=make_anew, at="before change").packed())
        == []
    )

    assert assert_whole(keeping, record) == anew
    assert keys_in(keeping.own) == set(anew.keys)


def test_purge_that_it_overtakes_tells_of_no_missing_crop(keeping: Keeping, engine: Engine) -> None:
    record = keeping.uploaded()
    overtaken = Moments({"before get": lambda: list(keeping.recompress().packed())})
    store = SteppedStore(keeping.own, keeping.archives, overtaken)

    assert list(replace(keeping.purge(), store=store).purged()) == []

    assert_whole(keeping, record)
    assert events(keeping, record) == ["recorded", "recompressed"]
    assert len(keeping.purged()) == 1


def test_many_at_once_pack_each_crop_once(keeping: Keeping) -> None:
    records = [keeping.uploaded(seed) for seed in range(10)]

    with ThreadPoolExecutor(4) as pool:
        works = [pool.submit(lambda: list(keeping.recompress().packed())) for _ in range(4)]
        outcomes = [outcome for work in works for outcome in work.result()]

    assert len(outcomes) == len(records)
    assert all(isinstance(each, Recompressed) for each in outcomes)
    now = [assert_whole(keeping, record) for record in records]
    assert keys_in(keeping.own) == {key for each in now for key in each.keys}
    assert all(events(keeping, each) == ["recorded", "recompressed"] for each in records)


class Forgetful(FolderStore):
    """Gives back what is shorter than what was put."""

    def get(self, key: str) -> bytes | None:
        content = super().get(key)
        return content[:-1] if content and key.startswith("packed/") else content


def test_store_that_gives_back_other_bytes_ends_it_and_changes_nothing(keeping: Keeping) -> None:
    record = keeping.uploaded()
    before = keys_in(keeping.own)
    store = Forgetful(keeping.folder)

    with pytest.raises(Unavailable, match="other bytes"):
        list(replace(keeping.recompress(), store=store).packed())

    assert assert_whole(keeping, record) == record
    assert keys_in(keeping.own) == before


def test_savings_grow_by_what_is_no_longer_stored(keeping: Keeping) -> None:
    record = keeping.uploaded(grace_over=timedelta(days=-1))
    ledger = keeping.ledger

    def figures() -> set[int]:
        """By records and by the sums that are kept of them."""
        whole, kept = PhotoFilter(), ledger.savings(Period(), min_billable_bytes=0).totals
        return {ledger.totals(whole, min_billable_bytes=0).saved_bytes, kept.saved_bytes}

    assert figures() == {record.saved_bytes}
    (outcome,) = keeping.recompress().packed()
    assert isinstance(outcome, Recompressed)

    assert outcome.saved_bytes > 0
    assert figures() == {record.saved_bytes + outcome.saved_bytes}
    assert ledger.rebuild_savings(min_billable_bytes=0).agreed


def test_all_of_it_on_a_real_s3_server(engine: Engine, any_s3_server: S3Server) -> None:
    keeping = keeping_on(any_s3_server, SqlLedger(engine))
    records = [keeping.uploaded(seed) for seed in range(3)]
    crops = [keeping.store.get(each.stored.key) for each in records]
    own: ObjectStore = keeping.own

    assert len(list(keeping.recompress(workers=2).packed())) == 3

    for record, crop in zip(records, crops, strict=True):
        assert content_of(keeping.ledger, keeping.store, record) == crop
    now = [now_of(keeping, each) for each in records]
    assert keys_in(own) == {key for each in now for key in each.keys}
    assert len(keeping.purged()) == 3
    assert len(list(keeping.recompress().unpacked())) == 3
    assert [keeping.store.get(now_of(keeping, each).stored.key) for each in records] == crops
