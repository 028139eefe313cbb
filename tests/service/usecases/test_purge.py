"""Originals whose grace is over: deleted once their crops are proved, else kept with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.core.crop import CropPolicy
from service.core.encoding import Encoding
from service.core.errors import Unavailable
from service.core.photo import Limits, sha256_of
from service.core.record import Capture, Record, Source, Status
from service.imaging.probe import photo_of
from service.usecases.optimize import Optimizer
from service.usecases.originals import without_retention
from service.usecases.purge_outcomes import Purged, PurgeTotals, Stays, Why
from service.usecases.upload import Intake
from tests.fakes import FakeLedger
from tests.painted import painted_photo
from tests.retained import BOX, Keeping, assert_stays, events, now_of, original_of

ORIENTATION = 0x0112


@pytest.fixture
def keeping(ledger: FakeLedger, tmp_path: Path) -> Keeping:
    return Keeping(ledger, tmp_path / "objects")


def test_original_whose_grace_is_over_is_deleted_and_its_crop_stays(keeping: Keeping) -> None:
    record = keeping.uploaded()

    (outcome,) = keeping.purged()

    assert outcome == Purged(record)
    assert outcome.freed_bytes == record.original.bytes
    assert original_of(keeping, record) is None
    assert keeping.store.get(record.stored.key) is not None
    purged = now_of(keeping, record)
    assert purged == replace(record, original=without_retention(record.original))
    assert events(keeping, record) == ["recorded", "purged"]
    assert json.loads(keeping.ledger.history(record.id)[-1].details) == {
        "freed_bytes": record.original.bytes,
        "retained": {
            "key": record.original.retained_key,
            "why": "grace",
            "until": "2026-04-30T00:00:00.000000Z",
        },
    }
    assert keeping.purged() == []


def test_original_in_grace_stays_to_the_last_moment(keeping: Keeping) -> None:
    record = keeping.uploaded(grace_over=timedelta(microseconds=-1))

    assert keeping.purged() == []
    assert original_of(keeping, record) is not None
    keeping.now += timedelta(microseconds=1)
    assert keeping.purged() == [Purged(record)]


def test_original_stays_while_its_crop_is_missing(keeping: Keeping) -> None:
    record = keeping.uploaded()
    keeping.store.delete(record.stored.key)

    assert_stays(keeping, record, Why.CROP_MISSING)
    assert now_of(keeping, record) == record


@pytest.mark.parametrize("damage", [b"other bytes", b""])
def test_original_stays_while_its_crop_has_other_bytes(keeping: Keeping, damage: bytes) -> None:
    record = keeping.uploaded()
    keeping.store.put(record.stored.key, damage, media_type="image/jpeg")

    assert_stays(keeping, record, Why.CROP_CHANGED)


def test_original_stays_while_its_crop_cannot_be_decoded(keeping: Keeping) -> None:
    record = keeping.uploaded()
    crop = keeping.store.get(record.stored.key) or b""
    assert_stays(keeping, with_crop(keeping, record, crop[: len(crop) // 2]), Why.CROP_UNREADABLE)


@pytest.mark.parametrize(("width", "height"), [(BOX.width, 16), (BOX.height, BOX.width)])
def test_original_stays_while_its_crop_has_another_size(
    keeping: Keeping, width: int, height: int
) -> None:
    record = keeping.uploaded()
    crop = keeping.store.get(record.stored.key) or b""
    other = replace(record, stored=replace(record.stored, width=width, height=height))
    assert_stays(keeping, with_crop(keeping, other, crop), Why.CROP_UNREADABLE)


def with_crop(keeping: Keeping, record: Record, crop: bytes) -> Record:
    """As if the crop had been stored and recorded like that from the beginning."""
    keeping.store.put(record.stored.key, crop, media_type="image/jpeg")
    stored = replace(record.stored, sha256=sha256_of(crop), bytes=len(crop))
    recorded = now_of(keeping, record)
    changed = replace(record, stored=stored)
    assert keeping.ledger.change(recorded, changed)
    return changed


def test_object_that_is_itself_what_is_stored_is_never_deleted(keeping: Keeping) -> None:
    record = keeping.uploaded()
    original = record.original
    key = original.retained_key or ""
    itself = replace(record.stored, key=key, sha256=original.sha256, bytes=original.bytes)
    kept = replace(record, stored=itself, crop=None, status=Status.KEPT_ORIGINAL)
    keeping.ledger.change(record, kept)

    assert_stays(keeping, kept, Why.NO_CROP)


def test_original_that_somebody_deleted_is_accounted_for(keeping: Keeping) -> None:
    record = keeping.uploaded()
    keeping.store.delete(record.original.retained_key or "")

    assert keeping.purged() == [Purged(record)]
    assert now_of(keeping, record).original.retained_key is None


def test_dry_run_looks_and_changes_nothing(keeping: Keeping) -> None:
    fine, broken, gone = keeping.uploaded(0), keeping.uploaded(1), keeping.archived(2)
    keeping.store.delete(broken.stored.key)
    keeping.bucket.objects_by_key.clear()

    outcomes = list(keeping.purge(dry_run=True).purged())

    assert Purged(fine) in outcomes
    assert Purged(gone) in outcomes
    assert [each.why for each in outcomes if isinstance(each, Stays)] == [Why.CROP_MISSING]
    assert original_of(keeping, fine) is not None
    for record in (fine, broken, gone):
        assert now_of(keeping, record) == record
        assert events(keeping, record) == ["recorded"]


def test_all_pages_are_gone_through_even_where_many_stay(keeping: Keeping) -> None:
    records = [keeping.uploaded(seed) for seed in range(8)]
    for record in records[:7]:
        keeping.store.delete(record.stored.key)

    totals = PurgeTotals()
    for outcome in replace(keeping.purge(), page=3).purged():
        totals.add(outcome)

    assert (totals.photos, totals.purged, totals.stay[Why.CROP_MISSING]) == (8, 1, 7)
    assert totals.freed_bytes == records[7].original.bytes
    assert not totals.is_all_well


def test_store_that_is_away_ends_the_purge(keeping: Keeping) -> None:
    records = [keeping.uploaded(seed) for seed in range(3)]
    keeping.folder.rename(keeping.folder.with_name("elsewhere"))

    with pytest.raises(Unavailable):
        keeping.purged()

    assert [now_of(keeping, record) for record in records] == records


def test_stopped_purge_begins_no_more(keeping: Keeping) -> None:
    for seed in range(5):
        keeping.uploaded(seed)
    purge = keeping.purge(workers=1)

    first = next(iter(purge.purged()))
    purge.stop.set()

    assert isinstance(first, Purged)
    assert list(purge.purged()) == []


@pytest.mark.parametrize("encoding", list(Encoding))
@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_every_kind_of_crop_that_is_stored_can_take_the_place_of_its_original(
    keeping: Keeping, segmenter: OnnxSegmenter, encoding: Encoding, orientation: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    optimizer = Optimizer(segmenter, CropPolicy(), encoding, keep_gps=False, context_px=320)
    a_day = timedelta(days=1)
    intake = Intake(optimizer, keeping.store, keeping.ledger, a_day, lambda: keeping.now - a_day)
    photo = photo_of(painted_photo(exif=exif), Limits())
    record = intake.take(photo, Capture(), source=Source.UPLOAD).record
    assert record.status is Status.CROPPED

    assert keeping.purged() == [Purged(record)]
