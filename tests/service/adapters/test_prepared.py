"""Prepared statements say and do what SQLAlchemy itself would, in both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from sqlalchemy import Engine, bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from service.adapters.sql.engine import for_one_statement, for_writing
from service.adapters.sql.mapping import photo_columns, record_of
from service.adapters.sql.prepared import Prepared
from service.adapters.sql.tables import PhotoRow
from service.adapters.sql.upserts import table_of
from service.core.record import Capture
from tests.records import NOON, cropped_record, kept_record

PHOTOS = table_of(PhotoRow)


def test_prepared_insert_writes_each_column_as_any_other_does(engine: Engine) -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    told = Capture(meter_id="G-1047 ✓", captured_at=east, tags={"route": "7"})
    records = [
        replace(cropped_record("a", retained_key="originals/a"), capture=told, exif=b"II*\0"),
        kept_record("b"),
    ]
    with for_writing(engine).begin() as connection:
        statement = Prepared.of(insert(PHOTOS), connection.dialect)
        for record in records:
            statement.run(connection, photo_columns(record))
        rows = connection.execute(select(PHOTOS).order_by(PHOTOS.c.original_bytes)).all()
    assert {record.id: record for record in map(record_of, rows)} == {
        record.id: record for record in records
    }


def test_prepared_select_finds_by_what_the_column_holds(engine: Engine) -> None:
    record = cropped_record("a")
    with for_writing(engine).begin() as connection:
        connection.execute(insert(PHOTOS), photo_columns(record))
    by_id = select(PHOTOS.c.stored_key).where(PHOTOS.c.id == bindparam("photo_id"))
    with for_one_statement(engine).begin() as connection:
        found = Prepared.of(by_id, connection.dialect).run(connection, {"photo_id": record.id})
        assert found.scalar() == record.stored.key


def test_failing_prepared_statement_raises_what_sqlalchemy_does(engine: Engine) -> None:
    record = cropped_record("a")
    with for_writing(engine).connect() as connection:
        statement = Prepared.of(insert(PHOTOS), connection.dialect)
        statement.run(connection, photo_columns(record))
        with pytest.raises(IntegrityError):
            statement.run(connection, photo_columns(record))
    with engine.begin() as connection:
        assert connection.execute(select(PHOTOS.c.id)).all() == []


def test_single_statement_sees_what_others_have_committed_since(engine: Engine) -> None:
    with for_one_statement(engine).begin() as looking:
        assert looking.execute(select(PHOTOS.c.id)).all() == []
        with for_writing(engine).begin() as writing:
            writing.execute(insert(PHOTOS), photo_columns(cropped_record("a")))
        assert len(looking.execute(select(PHOTOS.c.id)).all()) == 1
