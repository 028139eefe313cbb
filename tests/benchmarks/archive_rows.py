"""Millions of records of three years and 500 sites, as rows that a database takes in bulk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from random import Random

import psycopg
from sqlalchemy import Engine, text

from service.adapters.sql.engine import for_writing
from service.adapters.sql.mapping import photo_columns
from service.adapters.sql.tables import PhotoRow
from service.adapters.sql.upserts import table_of
from service.core.crop import Reason
from service.core.record import Record
from tests.records import context_picture, cropped_record, kept_record

SITES, METERS_A_SITE = 500, 400
BEGIN, END = datetime(2023, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
MODELS = ("1a" * 32, "2b" * 32, "3c" * 32)
KEPT = (
    *[Reason.LOW_CONFIDENCE] * 60,
    *[Reason.NO_REGION] * 30,
    *[Reason.NO_GAIN] * 6,
    *[Reason.SEVERAL_REGIONS] * 3,
    Reason.REGION_AT_BORDER,
)
KEPT_SHARE = 0.12
COLUMNS = tuple(column.name for column in table_of(PhotoRow).columns)
VARIED = (
    "id",
    "received_at",
    "meter_id",
    "site",
    "meter_type",
    "original_sha256",
    "original_bytes",
    "stored_sha256",
    "stored_bytes",
    "confidence",
    "model_sha256",
)
"""What differs from record to record; the rest is that of one cropped and some kept ones."""


def rows_of(count: int) -> Iterator[tuple[object, ...]]:
    """In order of `COLUMNS`, oldest first, moments as ISO text in UTC."""
    chance = Random(count)
    step = (END - BEGIN) / count
    cropped = _template(replace(cropped_record("cropped"), context=context_picture("c")))
    kept = {reason: _template(kept_record(reason, reason=reason)) for reason in KEPT}
    places = {name: COLUMNS.index(name) for name in VARIED}
    for n in range(count):
        is_kept = chance.random() < KEPT_SHARE
        row = list(kept[chance.choice(KEPT)] if is_kept else cropped)
        at, size, site = BEGIN + step * n, chance.randint(900_000, 5_000_000), n * 7919 % SITES
        sha256 = f"{chance.getrandbits(256):064x}"
        values = (
            f"{int(at.timestamp() * 1000):012x}7{n & 0xFFF:03x}8{chance.getrandbits(60):015x}",
            at.strftime("%Y-%m-%d %H:%M:%S.%f"),
            f"G-{site * METERS_A_SITE + chance.randrange(METERS_A_SITE)}",
            f"site {site:03}",
            ("gas", "water", "electricity")[site % 3],
            sha256,
            size,
            sha256 if is_kept else sha256[::-1],
            size if is_kept else chance.randint(40_000, 150_000),
            chance.random() / 5 + 0.8,
            MODELS[(at - BEGIN).days // 366],
        )
        for name, value in zip(VARIED, values, strict=True):
            row[places[name]] = value
        yield tuple(row)


def load_postgresql(engine: Engine, rows: Iterator[tuple[object, ...]]) -> None:
    """By COPY into a table without indexes, which are made afterwards."""
    with engine.begin() as connection:
        connection.execute(text("set local statement_timeout = 0"))
        indexes = connection.scalars(text(INDEXES)).all()
        for statement in WITHOUT_INDEXES:
            connection.execute(text(statement))
        for index in indexes:
            connection.execute(text(f"drop index if exists {index.split(' ON ')[0].split()[-1]}"))
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        with raw.cursor().copy(f"copy photos ({', '.join(COLUMNS)}) from stdin".encode()) as copy:
            while some := list(islice(rows, 5_000)):
                copy.write("".join(map(_copied, some)))
        connection.execute(text("set local maintenance_work_mem = '1GB'"))
        for statement in (*indexes, *WITH_CONSTRAINTS):
            connection.execute(text(statement))


def load_sqlite(engine: Engine, rows: Iterator[tuple[object, ...]]) -> None:
    marks = ", ".join("?" * len(COLUMNS))
    with for_writing(engine).begin() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.executemany(f"insert into photos ({', '.join(COLUMNS)}) values ({marks})", rows)


def _template(record: Record) -> tuple[object, ...]:
    columns = photo_columns(record)
    return tuple("{}" if name == "tags" else columns[name] for name in COLUMNS)


def _copied(row: tuple[object, ...]) -> str:
    return "\t".join("\\N" if value is None else f"{value}" for value in row) + "\n"


INDEXES = "select indexdef from pg_indexes where tablename = 'photos'"
WITHOUT_INDEXES = (
    "alter table photos drop constraint uq_photos_original_sha256 cascade",
    "alter table photos drop constraint pk_photos",
)
WITH_CONSTRAINTS = (
    "alter table photos add constraint pk_photos primary key using index pk_photos",
    """alter table photos add constraint uq_photos_original_sha256
    unique using index uq_photos_original_sha256""",
    """alter table idempotency_keys add foreign key (original_sha256)
    references photos (original_sha256) on delete cascade""",
)
