"""The ledger on a database. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, Dialect, Engine, Select, bindparam, delete, select, text, update

from service.adapters.sql import sessions
from service.adapters.sql.cursor import cursor_after
from service.adapters.sql.freed import count_freed
from service.adapters.sql.history import append, history_of, locked_photo
from service.adapters.sql.mapping import key_columns, key_of, photo_columns, record_of
from service.adapters.sql.owned import every_owned_object, owned_among
from service.adapters.sql.packing import never_looked_at, packed
from service.adapters.sql.prepared import Prepared
from service.adapters.sql.queries import insert_if_new, insert_or_lock, newest_first
from service.adapters.sql.rebuilding import rebuilt
from service.adapters.sql.recording import tell_recorded
from service.adapters.sql.retention import begun_to_purge, grace_over, kept_by_a_lock
from service.adapters.sql.rollup import Rollup, count_changes
from service.adapters.sql.savings_report import (
    Groups,
    found_in_records,
    found_in_sums,
    model_days_of,
    totals_of,
)
from service.adapters.sql.tables import ApiKeyRow, IdempotencyKeyRow, PhotoRow
from service.adapters.sql.transactions import Transactions, may_rest, take_time
from service.adapters.sql.upserts import table_of
from service.core.access import ApiKey, SignIn
from service.core.drift import ModelDay
from service.core.errors import RequestRejected
from service.core.fields import check_name
from service.core.history import Event, HistoryEntry, Told, deleted
from service.core.record import Page, PhotoFilter, Record, Recorded
from service.core.savings import (
    GroupBy,
    Period,
    Rebuilt,
    SavingsReport,
    SavingsTotals,
    report_of,
)
from service.ports import OwnedObject

Query = Callable[[], Select[*tuple[Any, ...]]]
"""Of photos, by `sha256`."""

STREAMED = {"yield_per": 1000}
"""Rows come from the database as they are asked for."""


class SqlLedger:
    """A `Ledger` over an engine of `engine_for`, whose tables `migrate` has made."""

    def __init__(self, engine: Engine) -> None:
        transactions = Transactions(engine)
        self._reading, self._writing = transactions.reading, transactions.writing
        self._looking, self._adding = transactions.looking, transactions.adding
        self._engine = engine
        self._rollup = Rollup(engine)

    def record(self, record: Record, *, idempotency_key: str | None = None) -> Recorded:
        # The bytes' hash is unique in the table. So a call whose commit was never confirmed can
        # be made again: it finds either its own record or an empty place.
        check_name("idempotency_key", idempotency_key)
        with self._adding() as connection:
            recorded = _first_of_its_bytes(connection, record)
            if idempotency_key is not None:
                _claim(connection, idempotency_key, original_sha256=record.original.sha256)
        if recorded.created:
            self._rollup.tend()
        return recorded

    def by_id(self, photo_id: UUID) -> Record | None:
        with self._reading() as session:
            row = session.get(PhotoRow, photo_id)
            return None if row is None else record_of(row)

    def by_original(self, sha256: str) -> Record | None:
        return self._look_up(_of_original, sha256)

    def of_bytes(self, sha256: str) -> Record | None:
        return self._look_up(_of_bytes, sha256)

    def original_of_idempotency_key(self, idempotency_key: str) -> str | None:
        check_name("idempotency_key", idempotency_key)
        with self._reading() as session:
            row = session.get(IdempotencyKeyRow, idempotency_key)
            return None if row is None else row.original_sha256

    def page(self, where: PhotoFilter, *, limit: int, cursor: str | None = None) -> Page:
        query = newest_first(where, cursor=cursor).limit(limit + 1)  # one more tells of a next page
        with self._reading() as session:
            found = [record_of(row) for row in session.scalars(query)]
        items = tuple(found[:limit])
        return Page(items, cursor_after(items[-1]) if len(found) > limit else None)

    def change(self, before: Record, after: Record, *, told: Told | None = None) -> bool:
        with self._writing() as session:
            row = locked_photo(session, before.id)
            if row is None or record_of(row) != before:
                return False
            if told is not None:
                append(session, before.id, told.event, told.details, at=told.at)
            this = PhotoRow.id == before.id
            session.execute(update(PhotoRow).where(this).values(photo_columns(after)))
            count_changes(session, [(before, after)])
            if told is not None and told.event is Event.PURGED:
                count_freed(session, before.id, before.saved_bytes)
        self._rollup.tend()
        return True

    def history(self, photo_id: UUID) -> tuple[HistoryEntry, ...]:
        with self._reading() as session:
            return history_of(session, photo_id)

    def due(self, now: datetime, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        found: list[Record] = []
        with self._reading() as session:
            if after is None or after.original.retained_until is None:
                begun = begun_to_purge(after=after).limit(limit)
                found += map(record_of, session.scalars(begun))
                after = None
            over = grace_over(now, after=after).limit(limit - len(found))
            return (*found, *map(record_of, session.scalars(over)))

    def locked(self, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        with self._reading() as session:
            take_time(session)
            rows = session.scalars(kept_by_a_lock(after=after).limit(limit))
            return tuple(map(record_of, rows))

    def never_packed(
        self, received_before: datetime, *, limit: int, after: Record | None = None
    ) -> tuple[Record, ...]:
        with self._reading() as session:
            rows = session.scalars(never_looked_at(received_before, after=after).limit(limit))
            return tuple(map(record_of, rows))

    def packed(self, *, limit: int, after: Record | None = None) -> tuple[Record, ...]:
        with self._reading() as session:
            take_time(session)
            rows = session.scalars(packed(after=after).limit(limit))
            return tuple(map(record_of, rows))

    def delete(self, photo_id: UUID, *, at: datetime) -> Record | None:
        with self._writing() as session:
            row = locked_photo(session, photo_id)
            if row is None:
                return None
            before = record_of(row)
            told = deleted(before, at=at)
            append(session, photo_id, told.event, told.details, at=told.at)
            session.execute(delete(PhotoRow).where(PhotoRow.id == photo_id))
            count_changes(session, [(before, None)])
        self._rollup.tend()
        return before

    def owned_objects(self) -> Iterator[OwnedObject]:
        with self._reading() as session:
            take_time(session)
            may_rest(session)
            query = every_owned_object(session.get_bind().dialect.name)
            for key, size, photo_id in session.execute(query, execution_options=STREAMED):
                yield OwnedObject(str(key), int(size or 0), photo_id)

    def owned_of(self, keys: Collection[str]) -> frozenset[str]:
        if not keys:
            return frozenset()
        with self._reading() as session:
            take_time(session)
            found = [session.scalars(query) for query in owned_among(keys)]
            return frozenset(key for each in found for key in each if key is not None)

    def totals(self, where: PhotoFilter, *, min_billable_bytes: int) -> SavingsTotals:
        query = totals_of(where, min_billable_bytes=min_billable_bytes)
        with self._reading() as session:
            sums = session.execute(query).one()
        return SavingsTotals(*(int(each or 0) for each in sums))

    def savings(
        self, period: Period, *, group_by: GroupBy | None = None, min_billable_bytes: int
    ) -> SavingsReport:
        with self._reading() as session:
            found = found_in_sums(session, period, group_by, min_billable_bytes=min_billable_bytes)
        if found is None:
            groups = self._groups_in_records(period, group_by, min_billable_bytes)
            return report_of(period, group_by, groups)
        self._rollup.tend_waiting(found.waiting_changes)
        return report_of(period, group_by, found.groups)

    def model_days(self, since: date, before: date) -> tuple[ModelDay, ...]:
        with self._reading() as session:
            return model_days_of(session, since, before)

    def rebuild_savings(self, *, min_billable_bytes: int) -> Rebuilt:
        return rebuilt(self._engine, min_billable_bytes=min_billable_bytes)

    def add_key(self, key: ApiKey) -> None:
        check_name("name", key.name)
        with self._writing() as session:
            session.execute(insert_if_new(session, ApiKeyRow), key_columns(key))

    def key_by_secret(self, secret_sha256: str) -> ApiKey | None:
        with self._reading() as session:
            row = session.scalar(select(ApiKeyRow).where(ApiKeyRow.secret_sha256 == secret_sha256))
            return None if row is None else key_of(row)

    def keys(self) -> tuple[ApiKey, ...]:
        oldest_first = select(ApiKeyRow).order_by(ApiKeyRow.created_at, ApiKeyRow.id)
        with self._reading() as session:
            return tuple(key_of(row) for row in session.scalars(oldest_first))

    def revoke_key(self, key_id: UUID, *, at: datetime) -> ApiKey | None:
        still_valid = ApiKeyRow.id == key_id, ApiKeyRow.revoked_at.is_(None)
        with self._writing() as session:
            session.execute(update(ApiKeyRow).where(*still_valid).values(revoked_at=at))
            row = session.get(ApiKeyRow, key_id)
            return None if row is None else key_of(row)

    def add_session(self, sign_in: SignIn, *, at: datetime) -> None:
        with self._writing() as session:
            sessions.add(session, sign_in, at=at)

    def session_key(self, id_sha256: str, *, at: datetime) -> ApiKey | None:
        with self._reading() as session:
            row = session.scalar(sessions.key_of_session(id_sha256, at=at))
            return None if row is None else key_of(row)

    def end_session(self, id_sha256: str) -> None:
        with self._writing() as session:
            sessions.end(session, id_sha256)

    def check(self) -> None:
        with self._reading() as session:
            session.execute(text("select 1"))

    def _look_up(self, query: Query, sha256: str) -> Record | None:
        """Nearly always there is none, and an answer of many columns takes longer, empty or not."""
        asked = {"sha256": sha256}
        with self._looking() as connection:
            if _id_in(query, connection.dialect).run(connection, asked).first() is None:
                return None
            row = connection.execute(query(), asked).first()
            return None if row is None else record_of(row)

    def _groups_in_records(
        self, period: Period, group_by: GroupBy | None, min_billable_bytes: int
    ) -> Groups:
        structlog.get_logger().warning(
            "savings.other_minimum",
            min_billable_bytes=min_billable_bytes,
            why="the sums were made with another METERCROP_MIN_BILLABLE_BYTES, so the records are "
            "summed up; `metercrop savings --rebuild` makes reports quick again",
        )
        with self._reading() as session:
            take_time(session)
            return found_in_records(
                session, period, group_by, min_billable_bytes=min_billable_bytes
            )


def _first_of_its_bytes(connection: Connection, record: Record) -> Recorded:
    """Inserts it, or finds the one that was first; the database lets one of many rivals win."""
    insert = _new_photo(connection.dialect)
    if insert.run(connection, photo_columns(record)).scalar() is not None:
        tell_recorded(connection, record)
        return Recorded(record, created=True)
    earlier = connection.execute(_of_original(), {"sha256": record.original.sha256}).one()
    return Recorded(record_of(earlier), created=False)


def _claim(connection: Connection, idempotency_key: str, *, original_sha256: str) -> None:
    """Ties the key to the bytes; raising undoes the whole transaction."""
    columns = {"key": idempotency_key, "original_sha256": original_sha256}
    insert = insert_or_lock(connection.dialect.name, IdempotencyKeyRow, key="key")
    connection.execute(insert, columns)
    claimed = select(IdempotencyKeyRow.original_sha256).filter_by(key=idempotency_key)
    if connection.scalar(claimed) != original_sha256:
        raise RequestRejected(
            "idempotency.conflict",
            f"Idempotency-Key {idempotency_key!a} was used with other bytes; send a new key",
        )


# To build a statement takes as long as to run it.


@cache
def _new_photo(dialect: Dialect) -> Prepared:
    """Returns the row's id, if it was inserted."""
    insert = insert_or_lock(dialect.name, PhotoRow, key="original_sha256")
    return Prepared.of(insert.returning(PhotoRow.id), dialect)


@cache
def _id_in(query: Query, dialect: Dialect) -> Prepared:
    """What the query finds, the id alone; the first of it counts."""
    id_alone = query().with_only_columns(table_of(PhotoRow).c.id)
    return Prepared.of(id_alone, dialect)


@cache
def _of_original() -> Select[*tuple[Any, ...]]:
    photos = table_of(PhotoRow)
    return select(photos).where(photos.c.original_sha256 == bindparam("sha256"))


@cache
def _of_bytes() -> Select[*tuple[Any, ...]]:
    """The one that has them as original comes first."""
    photos = table_of(PhotoRow)
    is_original = photos.c.original_sha256 == bindparam("sha256")
    is_stored = photos.c.stored_sha256 == bindparam("sha256")
    return select(photos).where(is_original | is_stored).order_by(is_original.desc())
