"""Database and store are compared both ways, and nothing is deleted that anybody may need."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.adapters.folder import FolderStore
from service.core.record import Record
from service.ports import OwnedObject, StoredObject
from service.usecases.reconcile import UNRECORDED_FOR, Fault, Reconcile, merged
from tests.fakes import FakeLedger
from tests.records import NOON, cropped_record

OLD = UNRECORDED_FOR + timedelta(minutes=1)
KEYS = st.sets(st.text("abé\U0001f4f7/", min_size=1, max_size=4))


@dataclass
class Keeping:
    """A ledger, and a store in a folder."""

    ledger: FakeLedger
    folder: Path

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.folder)

    def photo(self, name: str) -> Record:
        """Recorded, with the objects that its record owns."""
        record = cropped_record(name, retained_key=f"originals/{name}.jpg", context_bytes=700)
        self.ledger.record(record)
        sizes = (record.stored.bytes, record.original.bytes, 700)
        assert record.context is not None
        keys = (record.stored.key, record.original.retained_key or "", record.context.key)
        for key, size in zip(keys, sizes, strict=True):
            self.store.put(key, b"x" * size, media_type="image/jpeg")
        return record

    def orphan(self, key: str, *, age: timedelta = OLD) -> None:
        self.store.put(key, b"nobody's", media_type="image/jpeg")
        at = (datetime.now(UTC) - age).timestamp()
        os.utime(self.folder / key, (at, at))

    def reconcile(self, *, repair: bool = False) -> Reconcile:
        return Reconcile(self.ledger, self.store, lambda: datetime.now(UTC), repair)


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping(FakeLedger(), tmp_path)


def test_store_that_holds_what_was_recorded_has_no_difference(keeping: Keeping) -> None:
    for name in "abc":
        keeping.photo(name)
    comparison = keeping.reconcile()

    assert list(comparison.differences()) == []
    assert (comparison.compared.owned, comparison.compared.stored) == (9, 9)


def test_missing_and_changed_objects_are_told_with_their_photo(keeping: Keeping) -> None:
    gone, changed = keeping.photo("gone"), keeping.photo("changed")
    keeping.store.delete(gone.stored.key)
    keeping.store.put(changed.stored.key, b"shorter", media_type="image/jpeg")

    found = {each.fault: each for each in keeping.reconcile(repair=True).differences()}

    assert found[Fault.MISSING].photo_id == gone.id
    assert found[Fault.MISSING].key == gone.stored.key
    assert found[Fault.CHANGED].photo_id == changed.id
    assert found[Fault.CHANGED].stored_bytes == len(b"shorter")
    assert found[Fault.CHANGED].recorded_bytes == changed.stored.bytes
    assert keeping.store.get(changed.stored.key) == b"shorter"


def test_orphan_is_told_and_deleted_only_where_that_is_asked_for(keeping: Keeping) -> None:
    record = keeping.photo("a")
    keeping.orphan("crops/nobody.jpg")

    (told,) = keeping.reconcile().differences()
    assert keeping.store.head("crops/nobody.jpg") is not None
    (deleted,) = keeping.reconcile(repair=True).differences()

    assert (told.fault, told.is_repaired) == (Fault.ORPHAN, False)
    assert (deleted.key, deleted.is_repaired) == ("crops/nobody.jpg", True)
    assert {each.key for each in keeping.store.objects()} == set(record.keys)
    assert list(keeping.reconcile().differences()) == []


def test_young_object_may_still_be_recorded_and_stays(keeping: Keeping) -> None:
    keeping.orphan("crops/on-its-way.jpg", age=UNRECORDED_FOR - timedelta(minutes=1))
    comparison = keeping.reconcile(repair=True)

    assert list(comparison.differences()) == []
    assert comparison.compared.recent == 1
    assert keeping.store.head("crops/on-its-way.jpg") is not None


def test_photo_recorded_while_the_store_is_listed_is_no_orphan(keeping: Keeping) -> None:
    record = cropped_record("late")
    keeping.orphan(record.stored.key)
    comparison = keeping.reconcile(repair=True)
    suspects = comparison._suspects()
    first = next(suspects)
    keeping.ledger.record(record)

    known = keeping.ledger.owned_of([record.stored.key])

    assert comparison._confirmed(*first, known) is None
    assert keeping.store.head(record.stored.key) is not None


def test_photo_deleted_while_the_store_is_listed_is_not_missing(keeping: Keeping) -> None:
    record = keeping.photo("a")
    owned = list(keeping.ledger.owned_objects())
    for key in record.keys:
        keeping.store.delete(key)
    keeping.ledger.delete(record.id, at=NOON)
    comparison = keeping.reconcile()

    assert [comparison._confirmed(each, None, frozenset()) for each in owned] == [None] * 3


@given(KEYS, KEYS)
def test_each_key_is_met_once_and_paired_where_both_sides_have_it(
    mine: set[str], theirs: set[str]
) -> None:
    record = cropped_record("a")
    owned = [OwnedObject(key, 1, record.id) for key in sorted(mine)]
    stored = [StoredObject(key, 1, NOON) for key in sorted(theirs)]

    pairs = list(merged(owned, stored))

    keys = [{each.key for each in pair if each is not None} for pair in pairs]
    assert keys == [{key} for key in sorted(mine | theirs)]
    assert {one.key for one, other in pairs if one and other} == mine & theirs
