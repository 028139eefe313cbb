"""Stored crops are packed: the same bytes are served, fewer are stored, all else stays."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from service.core.errors import Unavailable
from service.core.photo import sha256_of
from service.core.record import AtRest, Record, Status
from service.usecases import recompress
from service.usecases.photos import delete_photo
from service.usecases.purge_outcomes import Purged
from service.usecases.purge_outcomes import Why as PurgeWhy
from service.usecases.recompress_outcomes import (
    Recompressed,
    RecompressTotals,
    StaysAsItIs,
    Why,
)
from service.usecases.reconcile import Fault, Reconcile
from tests.fakes import FakeLedger
from tests.packing import LATER, content_of, keys_in, without_codec
from tests.retained import NOW, Keeping, assert_stays, events, now_of, original_of


@pytest.fixture
def keeping(ledger: FakeLedger, tmp_path: Path) -> Keeping:
    return Keeping(ledger, tmp_path / "objects")


def packed(keeping: Keeping) -> list[Recompressed | StaysAsItIs]:
    return list(keeping.recompress().packed())


def with_crop(keeping: Keeping, record: Record, crop: bytes) -> Record:
    """As if that crop had been stored and recorded from the beginning."""
    keeping.store.put(record.stored.key, crop, media_type="image/jpeg")
    stored = replace(record.stored, sha256=sha256_of(crop), bytes=len(crop))
    changed = replace(record, stored=stored)
    assert keeping.ledger.change(record, changed)
    return changed


def test_crop_lies_there_smaller_and_is_served_the_same(keeping: Keeping) -> None:
    record = keeping.uploaded()
    crop = keeping.store.get(record.stored.key)

    (outcome,) = packed(keeping)

    now = now_of(keeping, record)
    assert content_of(keeping.ledger, keeping.store, record) == crop
    stored = now.stored
    assert outcome == Recompressed(record, stored.bytes)
    assert stored.bytes < record.stored.bytes == stored.content_bytes
    assert stored.encoding == "jxl"
    as_it_was = replace(
        stored,
        key=record.stored.key,
        bytes=record.stored.bytes,
        at_rest=None,
        unpacked_bytes=None,
    )
    assert as_it_was == record.stored
    assert replace(now, stored=record.stored) == record
    assert now.saved_bytes == record.saved_bytes + outcome.saved_bytes
    assert len(keeping.store.get(stored.key) or b"") == stored.bytes
    assert keys_in(keeping.own) == set(now.keys)


def test_history_tells_what_lay_there_and_what_does(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)

    assert events(keeping, record) == ["recorded", "recompressed"]
    stored = now_of(keeping, record).stored
    assert json.loads(keeping.ledger.history(record.id)[-1].details) == {
        "bytes_before": record.stored.bytes,
        "stored": {
            "sha256": record.stored.sha256,
            "bytes": stored.bytes,
            "content_bytes": record.stored.bytes,
            "encoding": "jxl",
            "media_type": "image/jpeg",
            "key": stored.key,
            "exact": False,
        },
    }


def test_each_crop_is_looked_at_once(keeping: Keeping) -> None:
    keeping.uploaded()
    assert len(packed(keeping)) == 1
    assert packed(keeping) == []


def test_photo_that_has_just_come_in_is_left_alone(keeping: Keeping) -> None:
    record = keeping.uploaded()
    keeping.now = record.received_at + recompress.LEFT_ALONE_FOR
    assert packed(keeping) == []
    keeping.now = LATER
    assert len(packed(keeping)) == 1


def test_crop_in_somebodys_archive_stays_as_it_is(keeping: Keeping) -> None:
    record = keeping.archived(crop_key="s3://archive/2019/0.jpg.crop.jpg")
    assert packed(keeping) == []
    assert now_of(keeping, record) == record


def four_inks() -> bytes:
    drawn = BytesIO()
    Image.effect_noise((64, 64), 40).convert("CMYK").save(drawn, "JPEG")
    return drawn.getvalue()


def one_pixel() -> bytes:
    drawn = BytesIO()
    Image.new("RGB", (1, 1)).save(drawn, "JPEG")
    return drawn.getvalue()


@pytest.mark.parametrize(
    ("crop", "why"), [(four_inks(), Why.REFUSED), (one_pixel(), Why.NO_GAIN)], ids=str
)
def test_crop_that_gains_nothing_stays_and_is_not_tried_again(
    keeping: Keeping, crop: bytes, why: Why
) -> None:
    record = with_crop(keeping, keeping.uploaded(), crop)

    (outcome,) = packed(keeping)

    assert isinstance(outcome, StaysAsItIs)
    assert outcome.why is why
    assert outcome.message
    stays = replace(record.stored, at_rest=AtRest.AS_SERVED)
    assert now_of(keeping, record) == replace(record, stored=stays)
    assert content_of(keeping.ledger, keeping.store, record) == crop
    assert stays.encoding is None
    assert events(keeping, record) == ["recorded"]
    assert keys_in(keeping.own) == set(record.keys)
    assert packed(keeping) == []


def test_crop_too_large_to_be_unpacked_for_each_reader_stays(keeping: Keeping) -> None:
    record = keeping.uploaded()
    large = replace(record, stored=replace(record.stored, width=5001, height=5000))
    keeping.ledger.change(record, large)

    (outcome,) = packed(keeping)

    assert isinstance(outcome, StaysAsItIs)
    assert outcome.why is Why.TOO_LARGE
    assert packed(keeping) == []


def test_crop_made_anew_is_looked_at_again(keeping: Keeping) -> None:
    record = with_crop(keeping, keeping.uploaded(), one_pixel())
    packed(keeping)
    now = now_of(keeping, record)
    keeping.ledger.change(now, record)

    assert len(packed(keeping)) == 1


@pytest.mark.parametrize("damage", [None, b"other bytes"])
def test_crop_that_is_not_whole_is_an_alarm_each_time(
    keeping: Keeping, damage: bytes | None
) -> None:
    record, fine = keeping.uploaded(0), keeping.uploaded(1)
    if damage is None:
        keeping.store.delete(record.stored.key)
    else:
        keeping.store.put(record.stored.key, damage, media_type="image/jpeg")
    expected = Why.CROP_MISSING if damage is None else Why.CROP_CHANGED

    totals = RecompressTotals()
    for _ in range(2):
        for outcome in packed(keeping):
            totals.add(outcome)

    assert totals.stay == {expected: 2}
    assert totals.recompressed == 1
    assert not totals.is_all_well
    assert now_of(keeping, record) == record
    assert now_of(keeping, fine).stored.is_packed


def test_totals_add_up(keeping: Keeping) -> None:
    records = [keeping.uploaded(seed) for seed in range(3)]
    totals = RecompressTotals()
    for outcome in keeping.recompress(workers=2).packed():
        totals.add(outcome)

    assert (totals.photos, totals.recompressed) == (3, 3)
    assert totals.bytes_before == sum(each.stored.bytes for each in records)
    assert totals.bytes_now == sum(now_of(keeping, each).stored.bytes for each in records)
    assert totals.saved_bytes == totals.bytes_before - totals.bytes_now
    assert totals.is_all_well


def test_dry_run_says_the_same_and_keeps_nothing(keeping: Keeping) -> None:
    records = [keeping.uploaded(0), with_crop(keeping, keeping.uploaded(1), one_pixel())]
    before = keys_in(keeping.own)

    tried = list(keeping.recompress(dry_run=True).packed())

    assert keys_in(keeping.own) == before
    assert [now_of(keeping, each) for each in records] == records
    assert {type(each) for each in tried} == {Recompressed, StaysAsItIs}
    assert {each.record.id: each for each in packed(keeping)} == {
        each.record.id: each for each in tried
    }


def test_limit_and_pages_leave_none_out(keeping: Keeping) -> None:
    records = [keeping.uploaded(seed) for seed in range(7)]
    in_pages = replace(keeping.recompress(), page=2)

    assert len(list(in_pages.packed(limit=3))) == 3
    assert len(list(in_pages.packed())) == 4
    assert all(now_of(keeping, each).stored.is_packed for each in records)


def test_nothing_is_begun_once_it_is_to_stop(keeping: Keeping) -> None:
    for seed in range(4):
        keeping.uploaded(seed)
    work = keeping.recompress()
    outcomes = work.packed()
    next(outcomes)
    work.stop.set()
    assert len(list(outcomes)) < 3


def test_what_is_packed_can_be_unpacked_for_good(keeping: Keeping) -> None:
    record = keeping.uploaded()
    crop = keeping.store.get(record.stored.key)
    packed(keeping)

    (outcome,) = keeping.recompress().unpacked()

    now = now_of(keeping, record)
    assert now == replace(record, stored=replace(record.stored, key=now.stored.key))
    assert keeping.store.get(now.stored.key) == crop
    assert isinstance(outcome, Recompressed)
    assert outcome.saved_bytes < 0
    assert events(keeping, record) == ["recorded", "recompressed", "recompressed"]
    assert keys_in(keeping.own) == set(now.keys)
    assert list(keeping.recompress().unpacked()) == []


def test_packed_crop_that_is_damaged_is_an_alarm_of_unpacking(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)
    now = now_of(keeping, record)
    keeping.store.put(now.stored.key, b"other bytes", media_type="image/jxl")

    (outcome,) = keeping.recompress().unpacked()

    assert isinstance(outcome, StaysAsItIs)
    assert outcome.why is Why.CROP_CHANGED
    assert now_of(keeping, record) == now


def test_purge_proves_a_packed_crop_before_it_deletes_the_original(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)

    (outcome,) = keeping.purged()

    assert isinstance(outcome, Purged)
    assert original_of(keeping, record) is None
    assert events(keeping, record) == ["recorded", "recompressed", "purged"]
    assert content_of(keeping.ledger, keeping.store, record)


@pytest.mark.parametrize(
    ("damage", "why"),
    [(None, PurgeWhy.CROP_MISSING), (b"other bytes", PurgeWhy.CROP_CHANGED)],
)
def test_original_stays_while_its_packed_crop_is_not_whole(
    keeping: Keeping, damage: bytes | None, why: PurgeWhy
) -> None:
    record = keeping.uploaded()
    packed(keeping)
    key = now_of(keeping, record).stored.key
    if damage is None:
        keeping.store.delete(key)
    else:
        keeping.store.put(key, damage, media_type="image/jxl")

    (outcome,) = keeping.purged()

    assert getattr(outcome, "why", None) is why
    assert original_of(keeping, record) is not None


def test_purge_without_the_library_deletes_nothing(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)

    with without_codec(), pytest.raises(Unavailable, match="imagecodecs"):
        keeping.purged()

    assert original_of(keeping, record) is not None


def test_original_of_a_photo_that_was_never_packed_stays_as_before(keeping: Keeping) -> None:
    record = keeping.uploaded()
    keeping.store.delete(record.stored.key)
    packed(keeping)
    assert_stays(keeping, record, PurgeWhy.CROP_MISSING)


def test_restore_deletes_the_packed_crop(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)

    restored = keeping.restore.restored(record.id)

    assert restored.status is Status.KEPT_ORIGINAL
    assert restored.stored.at_rest is None
    assert keys_in(keeping.own) == {record.original.retained_key}
    assert packed(keeping) == []


def test_delete_leaves_nothing_of_a_packed_crop(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)

    delete_photo(keeping.ledger, keeping.store, record.id, at=NOW)

    assert keys_in(keeping.own) == set()
    assert events(keeping, record) == ["recorded", "recompressed", "deleted"]


def test_photo_is_still_found_by_the_bytes_of_its_crop(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)
    assert keeping.ledger.of_bytes(record.stored.sha256) == now_of(keeping, record)


def test_reconcile_finds_the_store_as_the_records_tell(keeping: Keeping) -> None:
    record = keeping.uploaded()
    packed(keeping)
    stored = now_of(keeping, record).stored
    comparison = Reconcile(keeping.ledger, keeping.store, lambda: LATER, repair=True)
    assert list(comparison.differences()) == []

    keeping.store.put(record.stored.key, b"what a crash left", media_type="image/jpeg")
    keeping.store.put(stored.key, b"shorter", media_type="image/jxl")

    found = {each.fault: each.key for each in comparison.differences()}
    assert found == {Fault.ORPHAN: record.stored.key, Fault.CHANGED: stored.key}
    assert keeping.store.get(record.stored.key) is None
