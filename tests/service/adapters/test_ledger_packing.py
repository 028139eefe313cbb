"""Which crops are to be packed, and which are, in the fake and in both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from service.adapters.sql.packing import never_looked_at
from service.core.record import AtRest, Record
from service.ports import Ledger
from tests.records import NOON, cropped_record, kept_record

LATER = NOON + timedelta(seconds=1)


def stored(record: Record, **fields: object) -> Record:
    return replace(record, stored=replace(record.stored, **fields))  # type: ignore[arg-type]


def packed(photo: str) -> Record:
    record = cropped_record(photo)
    key = f"packed/{photo}.jxl"
    return stored(record, at_rest=AtRest.JXL, unpacked_bytes=96_120, bytes=80_000, key=key)


def recorded(ledger: Ledger, *records: Record) -> list[Record]:
    """In the order of their ids."""
    for record in records:
        ledger.record(record)
    return sorted(records, key=lambda record: record.id)


def test_packed_record_comes_back_whole(ledger: Ledger) -> None:
    (record,) = recorded(ledger, packed("a"))
    assert ledger.by_id(record.id) == record
    assert record.kept_bytes == 80_000
    assert record.stored.content_bytes == 96_120


def test_crops_that_nobody_has_looked_at_are_found_in_order(ledger: Ledger) -> None:
    new = recorded(ledger, *(cropped_record(f"photo {n}") for n in range(5)))
    recorded(
        ledger,
        packed("packed"),
        stored(cropped_record("stays"), at_rest=AtRest.AS_SERVED),
        stored(cropped_record("of an archive"), key="s3://archive/2019/1.jpg.crop.jpg"),
        stored(cropped_record("of a folder"), key="file:///archive/2019/1.jpg.crop.jpg"),
        stored(cropped_record("no JPEG"), media_type="image/webp"),
        stored(kept_record("kept"), media_type="image/jpeg"),
        cropped_record("too young", received_at=LATER),
    )

    assert list(ledger.never_packed(LATER, limit=9)) == new
    assert list(ledger.never_packed(LATER, limit=2)) == new[:2]
    assert list(ledger.never_packed(LATER, limit=2, after=new[1])) == new[2:4]
    assert ledger.never_packed(LATER, limit=2, after=new[-1]) == ()


def test_packed_crops_are_found_in_order(ledger: Ledger) -> None:
    recorded(ledger, cropped_record("a"), kept_record("b"))
    found = recorded(ledger, *(packed(f"photo {n}") for n in range(3)))

    assert list(ledger.packed(limit=9)) == found
    assert list(ledger.packed(limit=1, after=found[0])) == found[1:2]


def test_deletion_tells_what_the_record_was_last(ledger: Ledger) -> None:
    before = cropped_record("a")
    recorded(ledger, before)
    after = replace(packed("a"), id=before.id)
    assert ledger.change(before, after)

    assert ledger.delete(before.id, at=NOON) == after
    assert ledger.delete(before.id, at=NOON) is None


@pytest.mark.parametrize("page", ["first", "next"])
def test_looking_for_them_reads_an_index_of_nothing_else(engine: Engine, page: str) -> None:
    after = cropped_record("a") if page == "next" else None
    query = never_looked_at(LATER, after=after).limit(2)
    written = query.compile(engine, compile_kwargs={"literal_binds": True})
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"explain query plan {written}")
        else:
            connection.execute(text("set local enable_seqscan = off"))  # there are no rows
            plan = connection.exec_driver_sql(f"explain {written}")
        steps = "\n".join(str(row) for row in plan)
    assert "ix_photos_unpacked_id" in steps
    assert "sort" not in steps.lower()
    assert "b-tree" not in steps.lower()
