"""The ledger on a database. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, Select, delete, select, text, update
from sqlalchemy.orm import Session

from service.adapters.sql.cursor import cursor_after
from service.adapters.sql.engine import for_writing
from service.adapters.sql.failures import database_failures
from service.adapters.sql.mapping import key_columns, key_of, photo_columns, record_of
from service.adapters.sql.queries import insert_if_new, insert_or_lock, newest_first, totals_of
from service.adapters.sql.tables import ApiKeyRow, IdempotencyKeyRow, PhotoRow
from service.core.access import ApiKey
from service.core.errors import RequestRejected
from service.core.fields import check_name
from service.core.record import Page, PhotoFilter, Record, Recorded
from service.core.savings import SavingsTotals


class SqlLedger:
    """A `Ledger` over an engine of `engine_for`, whose tables `migrate` has made."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing_engine = for_writing(engine)

    def record(self, record: Record, *, idempotency_key: str | None = None) -> Recorded:
        # The bytes' hash is unique in the table. So a call whose commit was never confirmed can
        # be made again: it finds either its own record or an empty place.
        check_name("idempotency_key", idempotency_key)
        with self._writing() as session:
            recorded = _first_of_its_bytes(session, record)
            if idempotency_key is not None:
                _claim(session, idempotency_key, original_sha256=record.original.sha256)
            return recorded

    def by_id(self, photo_id: UUID) -> Record | None:
        with self._reading() as session:
            row = session.get(PhotoRow, photo_id)
            return None if row is None else record_of(row)

    def by_original(self, sha256: str) -> Record | None:
        with self._reading() as session:
            row = session.scalar(_of_original(sha256))
            return None if row is None else record_of(row)

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

    def delete(self, photo_id: UUID) -> None:
        with self._writing() as session:
            session.execute(delete(PhotoRow).where(PhotoRow.id == photo_id))

    def totals(self, where: PhotoFilter, *, min_billable_bytes: int) -> SavingsTotals:
        query = totals_of(where, min_billable_bytes=min_billable_bytes)
        with self._reading() as session:
            sums = session.execute(query).one()
        return SavingsTotals(*map(int, sums))  # sums of BIGINT are decimals in PostgreSQL

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

    def check(self) -> None:
        with self._reading() as session:
            session.execute(text("select 1"))

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with database_failures(self._engine.url), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        engine = self._writing_engine
        with database_failures(engine.url), Session(engine) as session, session.begin():
            yield session


def _first_of_its_bytes(session: Session, record: Record) -> Recorded:
    """Inserts it, or finds the one that was first; the database lets one of many rivals win."""
    insert = insert_or_lock(session, PhotoRow, key="original_sha256").returning(PhotoRow.id)
    if session.scalar(insert, photo_columns(record)) is not None:
        return Recorded(record, created=True)
    earlier = session.scalars(_of_original(record.original.sha256)).one()
    return Recorded(record_of(earlier), created=False)


def _claim(session: Session, idempotency_key: str, *, original_sha256: str) -> None:
    """Ties the key to the bytes; raising undoes the whole transaction."""
    columns = {"key": idempotency_key, "original_sha256": original_sha256}
    session.execute(insert_or_lock(session, IdempotencyKeyRow, key="key"), columns)
    claimed = session.get_one(IdempotencyKeyRow, idempotency_key)
    if claimed.original_sha256 != original_sha256:
        raise RequestRejected(
            "idempotency.conflict",
            f"Idempotency-Key {idempotency_key!a} was used with other bytes; send a new key",
        )


def _of_original(sha256: str) -> Select[PhotoRow]:
    return select(PhotoRow).where(PhotoRow.original_sha256 == sha256)
