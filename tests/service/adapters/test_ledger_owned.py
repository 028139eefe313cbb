"""The objects that records own, on the fake and on both databases."""

from __future__ import annotations

from dataclasses import replace

from service.ports import Ledger, OwnedObject
from tests.records import cropped_record, kept_record


def test_owned_objects_come_in_the_order_of_their_code_points(ledger: Ledger) -> None:
    names = ["Zähler", "a", "B", "zaehler", "é", "\U0001f4f7", "\uff5a"]
    for name in names:
        record = kept_record(name)
        ledger.record(replace(record, stored=replace(record.stored, key=name)))

    assert [each.key for each in ledger.owned_objects()] == sorted(names)


def test_crop_context_picture_and_retained_original_are_owned(ledger: Ledger) -> None:
    record = cropped_record("a", retained_key="originals/a.jpg", context_bytes=700)
    ledger.record(record)
    assert record.context is not None

    assert set(ledger.owned_objects()) == {
        OwnedObject(record.stored.key, record.stored.bytes, record.id),
        OwnedObject(record.context.key, 700, record.id),
        OwnedObject("originals/a.jpg", record.original.bytes, record.id),
    }


def test_objects_of_an_archive_are_not_the_services(ledger: Ledger) -> None:
    record = cropped_record("a", retained_key="s3://archive/2019/a.jpg")
    ledger.record(record)

    assert [each.key for each in ledger.owned_objects()] == [record.stored.key]


def test_keys_are_known_by_whatever_they_are_to_their_record(ledger: Ledger) -> None:
    record = cropped_record("a", retained_key="originals/a.jpg", context_bytes=700)
    ledger.record(record)

    known = ledger.owned_of([*record.keys, "crops/nobody.jpg"])

    assert known == set(record.keys)
    assert len(known) == 3
    assert ledger.owned_of([]) == frozenset()
