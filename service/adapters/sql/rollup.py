"""The sums behind the savings report: changes are told, and folded in by whoever comes by."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC

import structlog
from sqlalchemy import Engine, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from service.adapters.sql.rollup_sums import ALL, Grain, facts_of_changes, summed
from service.adapters.sql.savings_tables import SavingsBasisRow, SavingsChangeRow, SavingsSumRow
from service.adapters.sql.transactions import Transactions, take_time
from service.adapters.sql.upserts import insert_or_add, table_of
from service.core.drift import (
    confidence_millionths,
    is_refused,
    region_millionths,
    version_of,
)
from service.core.errors import Unavailable
from service.core.record import Record, Status

FOLD_AT = 512
"""Changes that a process adds before it folds: reports read as many, and many at once are cheap."""
MANY_WAITING = 4 * FOLD_AT
TURN_KEY = 7_301_546_221
"""Of PostgreSQL's advisory locks; who folds or rebuilds holds it."""
COLUMNS = ("dimension", "grain", "start", "key", *ALL)
PRIMARY_KEY = COLUMNS[:4]

Change = tuple[Record | None, Record | None]
"""A record before and after; None where there was none, or is none any more."""


def count_changes(session: Session, changes: Iterable[Change]) -> None:
    """Tells the sums of photos' rows that this transaction writes. It waits for nobody."""
    rows = [row for before, after in changes for row in _rows(before, after)]
    if rows:
        session.connection().execute(insert(table_of(SavingsChangeRow)).inline(), rows)


def added_columns(record: Record) -> dict[str, object]:
    """Of the one row that tells of a new record."""
    return {**_columns(record), "sign": 1}


class Rollup:
    """Folds changes into sums, now and then."""

    def __init__(self, engine: Engine) -> None:
        self._transactions = Transactions(engine)
        self._lock = threading.Lock()
        self._waiting = 0

    def tend(self, changes: int = 1) -> None:
        """After a transaction that told so many; what keeps it from folding the next one meets."""
        with self._lock:
            self._waiting += changes
            if self._waiting < FOLD_AT:
                return
            self._waiting = 0
        self._fold_if_it_can()

    def tend_waiting(self, changes: int) -> None:
        """After a report that met so many: those who add few and end fold nothing themselves."""
        if changes >= MANY_WAITING:
            self._fold_if_it_can()

    def fold(self) -> bool:
        """Whether it was its turn: of many at once one folds, and the others go on."""
        with self._transactions.snapshot() as session:
            if not _has_turn(session):
                return False
            take_time(session)
            fold_changes(session)
            return True

    def _fold_if_it_can(self) -> None:
        try:
            self.fold()
        except Unavailable as error:
            structlog.get_logger().info("savings.not_folded", code=error.code, why=str(error))


def fold_changes(session: Session) -> None:
    """All that the transaction sees, which must have one snapshot for all of its statements."""
    minimum = min_billable_bytes_of(session)
    facts = facts_of_changes()
    add = insert_or_add(session, SavingsSumRow, key=PRIMARY_KEY)
    for grain in Grain:
        rows = summed(facts, grain, minimum=minimum)
        session.connection().execute(add.from_select(COLUMNS, rows))
    session.execute(delete(SavingsChangeRow))


def adopt_minimum(engine: Engine, min_billable_bytes: int) -> None:
    """While there are no sums yet, they are to be made with this one."""
    basis = update(SavingsBasisRow).where(~exists(select(SavingsSumRow.start)))
    other = SavingsBasisRow.min_billable_bytes != min_billable_bytes
    with Transactions(engine).writing() as session:
        if not _has_turn(session):
            return  # there are changes, then, and soon sums
        session.execute(basis.where(other).values(min_billable_bytes=min_billable_bytes))


def min_billable_bytes_of(session: Session) -> int:
    """With which the billable sums are made, and will be until the commit."""
    basis = select(SavingsBasisRow.min_billable_bytes).with_for_update(read=True)
    return session.scalars(basis).one()


def _has_turn(session: Session) -> bool:
    """SQLite's transaction holds the only write lock there is."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    return session.scalar(select(func.pg_try_advisory_xact_lock(TURN_KEY))) is True


def _rows(before: Record | None, after: Record | None) -> list[dict[str, object]]:
    """Two where something that is summed has changed, none where nothing has."""
    gone = None if before is None else _columns(before)
    come = None if after is None else _columns(after)
    if gone == come:
        return []
    signed = ((gone, -1), (come, 1))
    return [{**columns, "sign": sign} for columns, sign in signed if columns is not None]


def _columns(record: Record) -> dict[str, object]:
    return {
        "day": record.received_at.astimezone(UTC).date(),
        "site": record.capture.site,
        "meter_type": record.capture.meter_type,
        "model": record.model.name,
        "model_version": version_of(record.model),
        "reason": None if record.reason is None else record.reason.value,
        "source": record.source.value,
        "cropped": int(record.status is Status.CROPPED),
        "refused": int(is_refused(record)),
        "retained": int(record.original.retained_key is not None),
        "original_bytes": record.original.bytes,
        "stored_bytes": record.stored.bytes,
        "context_bytes": None if record.context is None else record.context.bytes,
        "confidence_millionths": confidence_millionths(record),
        "region_millionths": region_millionths(record),
    }
