"""The sums behind the savings report, made anew from the records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    MetaData,
    Table,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.orm import Session

from service.adapters.sql.dialects import month_of
from service.adapters.sql.rollup import (
    COLUMNS,
    PRIMARY_KEY,
    TURN_KEY,
    fold_changes,
    min_billable_bytes_of,
)
from service.adapters.sql.rollup_sums import (
    ALL,
    BILLABLE,
    Dimension,
    Grain,
    Rows,
    facts_of_photos,
    summed,
)
from service.adapters.sql.savings_tables import SavingsBasisRow, SavingsSumRow
from service.adapters.sql.transactions import Transactions, may_rest, take_time
from service.adapters.sql.upserts import table_of
from service.core.savings import Rebuilt


def rebuilt(engine: Engine, *, min_billable_bytes: int) -> Rebuilt:
    """In one snapshot, which holds each photo with its change or neither.

    On PostgreSQL photos go on coming in, and their changes wait until the turn is given back;
    with SQLite their writers wait.
    """
    transactions = Transactions(engine)
    with _turn(transactions), transactions.snapshot() as session:
        take_time(session)
        fold_changes(session)
        fresh = _fresh_table()
        fresh.create(session.connection())
        _fill(session, fresh, min_billable_bytes=min_billable_bytes)
        same_minimum = min_billable_bytes_of(session) == min_billable_bytes
        wrong = _wrong(session, fresh, named=COLUMNS if same_minimum else _UNBILLED)
        if wrong or not same_minimum:
            _replace(session, fresh, min_billable_bytes=min_billable_bytes)
        sums = session.scalars(select(func.count()).select_from(fresh)).one()
        found = Rebuilt(_photos(session, fresh), sums, wrong)
        fresh.drop(session.connection())
        return found


_UNBILLED = tuple(name for name in COLUMNS if name not in BILLABLE)


@contextmanager
def _turn(transactions: Transactions) -> Iterator[None]:
    """Nobody folds meanwhile.

    Held by a connection of its own: one that waits for it would go on seeing what was before the
    wait. Where it breaks, the other one can't write over what was folded, and fails.
    """
    with transactions.reading() as session:
        if session.get_bind().dialect.name == "postgresql":
            take_time(session)
            may_rest(session)
            session.execute(select(func.pg_advisory_xact_lock(TURN_KEY)))
        yield


def _fresh_table() -> Table:
    columns = (Column(name, table_of(SavingsSumRow).c[name].type) for name in COLUMNS)
    return Table("savings_fresh", MetaData(), *columns, prefixes=["TEMPORARY"])


def _fill(session: Session, fresh: Table, *, min_billable_bytes: int) -> None:
    """Days from the records; months from the days."""
    facts = facts_of_photos()
    days = summed(facts, Grain.DAY, minimum=min_billable_bytes)
    session.connection().execute(insert(fresh).from_select(COLUMNS, days))
    session.connection().execute(insert(fresh).from_select(COLUMNS, _months_of(fresh)))


def _months_of(fresh: Table) -> Rows:
    of, start = fresh.c, month_of(fresh.c.start)
    sums = (cast(func.sum(of[name]), BigInteger) for name in ALL)
    months = select(of.dimension, literal(Grain.MONTH.value), start, of.key, *sums)
    return months.where(of.grain == Grain.DAY.value).group_by(of.dimension, start, of.key)


def _wrong(session: Session, fresh: Table, *, named: tuple[str, ...]) -> int:
    kept, new = _rows_of(table_of(SavingsSumRow), named), _rows_of(fresh, named)
    either = union(
        *(
            select(*(differing.c[name] for name in PRIMARY_KEY))
            for differing in (kept.except_(new).subquery(), new.except_(kept).subquery())
        )
    )
    return session.scalars(select(func.count()).select_from(either.subquery())).one()


def _rows_of(table: Table, named: tuple[str, ...]) -> Rows:
    """Sums that have come to nothing are as good as none."""
    something = or_(*(table.c[name] != 0 for name in named if name in ALL))
    return select(*(table.c[name] for name in named)).where(something)


def _replace(session: Session, fresh: Table, *, min_billable_bytes: int) -> None:
    session.execute(delete(SavingsSumRow))
    rows = select(*(fresh.c[name] for name in COLUMNS))
    session.connection().execute(insert(table_of(SavingsSumRow)).from_select(COLUMNS, rows))
    session.execute(update(SavingsBasisRow).values(min_billable_bytes=min_billable_bytes))


def _photos(session: Session, fresh: Table) -> int:
    of_all = fresh.c.dimension == Dimension.ALL.value, fresh.c.grain == Grain.MONTH.value
    photos = select(cast(func.coalesce(func.sum(fresh.c.photos), 0), BigInteger)).where(*of_all)
    return session.scalars(photos).one()
