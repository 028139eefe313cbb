"""Sources in archives whose grace is over: changed, locked, versioned, or away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from service.core.record import OriginalPhoto, Record, Retention
from service.usecases.purge_outcomes import Purged, Stays, Why
from tests.fakes import FakeLedger
from tests.painted import painted_photo
from tests.retained import (
    ARCHIVE,
    Keeping,
    assert_stays,
    events,
    now_of,
    original_of,
    reason,
)


@pytest.fixture
def keeping(ledger: FakeLedger, tmp_path: Path) -> Keeping:
    return Keeping(ledger, tmp_path / "objects")


def test_archives_source_is_deleted_when_its_crop_is_whole(keeping: Keeping) -> None:
    record = keeping.archived()
    beside = keeping.archived(1, crop_key=f"{ARCHIVE}/2019/1.jpg.metercrop.jpg")

    assert {type(outcome) for outcome in keeping.purged()} == {Purged}

    assert original_of(keeping, record) is None
    assert [found.key for found in keeping.bucket.objects()] == ["2019/1.jpg.metercrop.jpg"]
    assert now_of(keeping, beside).original.retention is None


@pytest.mark.parametrize("retention", [Retention.SOURCE, Retention.LOCKED, Retention.MARKED])
def test_what_is_retained_for_other_reasons_is_not_touched(
    keeping: Keeping, retention: Retention
) -> None:
    record = keeping.archived(retention=retention)

    assert keeping.purged() == []
    assert original_of(keeping, record) is not None


def test_source_that_its_owner_has_replaced_stays(keeping: Keeping) -> None:
    record = keeping.archived()
    keeping.bucket.put("2019/0.jpg", painted_photo(77))

    assert_stays(keeping, record, Why.ORIGINAL_CHANGED)


def test_source_with_a_newer_version_over_it_is_not_hidden_from_its_owner(keeping: Keeping) -> None:
    keeping.bucket.versioned = True
    record = keeping.archived()
    keeping.bucket.put("2019/0.jpg", painted_photo(77))

    assert_stays(keeping, record, Why.ORIGINAL_CHANGED)


def test_source_that_may_not_be_deleted_stays_and_is_tried_again(keeping: Keeping) -> None:
    record = keeping.archived()
    keeping.bucket.forbidden = {"2019/0.jpg"}
    assert_stays(keeping, record, Why.ACCESS_DENIED)

    keeping.bucket.forbidden = set()
    assert keeping.purged() == [Purged(replace(record, original=being_purged(record)))]
    assert events(keeping, record) == ["recorded", "retained", "purged"]


def being_purged(record: Record) -> OriginalPhoto:
    return replace(record.original, retained_until=None)


def test_locked_source_stays_and_is_tried_again_only_when_asked(keeping: Keeping) -> None:
    record = keeping.archived()
    keeping.bucket.locked = {"2019/0.jpg"}

    (outcome,) = keeping.purged()

    assert isinstance(outcome, Stays)
    assert outcome.why is Why.LOCKED
    assert original_of(keeping, record) is not None
    assert now_of(keeping, record).original.retention is Retention.LOCKED
    assert events(keeping, record) == ["recorded", "retained"]
    assert keeping.purged() == []

    (still,) = keeping.purged(retry_locked=True)
    assert isinstance(still, Stays)
    assert still.why is Why.LOCKED
    assert events(keeping, record) == ["recorded", "retained"]

    keeping.bucket.locked = set()
    (outcome,) = keeping.purged(retry_locked=True)
    assert isinstance(outcome, Purged)
    assert events(keeping, record) == ["recorded", "retained", "purged"]
    assert original_of(keeping, record) is None


def test_delete_marker_frees_nothing_and_the_record_says_so(keeping: Keeping) -> None:
    keeping.bucket.versioned = True
    record = keeping.archived()

    (outcome,) = keeping.purged()

    assert isinstance(outcome, Stays)
    assert outcome.why is Why.MARKED
    marked = now_of(keeping, record).original
    assert marked.retention is Retention.MARKED
    assert marked.retained_version == record.original.retained_version
    assert reason(keeping, record) == "marked"
    assert keeping.purged(retry_locked=True) == []


def test_version_is_remembered_where_the_bucket_got_versions_later(keeping: Keeping) -> None:
    record = keeping.archived()
    keeping.bucket.versioned = True
    version = keeping.bucket.put("2019/0.jpg", painted_photo(0)).version_id

    keeping.purged()

    assert record.original.retained_version == ""
    assert now_of(keeping, record).original.retained_version == version


def test_source_that_somebody_hid_behind_a_delete_marker_is_only_marked(keeping: Keeping) -> None:
    keeping.bucket.versioned = True
    record = keeping.archived()
    found = keeping.bucket.find("2019/0.jpg")
    assert found is not None
    keeping.bucket.delete(found)
    versions = len(keeping.bucket.objects_by_key["2019/0.jpg"])

    (outcome,) = keeping.purged()

    assert isinstance(outcome, Stays)
    assert outcome.why is Why.MARKED
    assert len(keeping.bucket.objects_by_key["2019/0.jpg"]) == versions
    assert now_of(keeping, record).original.retention is Retention.MARKED


def test_archive_that_is_away_does_not_keep_others_waiting(keeping: Keeping) -> None:
    away, here = keeping.archived(0), keeping.uploaded(1)
    keeping.bucket.available = False

    outcomes = keeping.purged()

    assert [each.why for each in outcomes if isinstance(each, Stays)] == [Why.UNREACHABLE]
    assert Purged(here) in outcomes
    assert now_of(keeping, away) == away
    keeping.bucket.available = True
    assert keeping.purged() == [Purged(away)]
