"""The savings report: whole months and days from sums, the rest of a period from its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from operator import add
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Subquery,
    and_,
    bindparam,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.selectable import CompoundSelect

from service.adapters.sql.queries import conditions
from service.adapters.sql.rollup_sums import (
    OF_MODELS,
    TOTALS,
    Dimension,
    Grain,
    Rows,
    facts_of_changes,
    facts_of_photos,
    key_in,
    key_of,
    sums_of,
)
from service.adapters.sql.savings_tables import SavingsBasisRow, SavingsChangeRow, SavingsSumRow
from service.adapters.sql.tables import PhotoRow
from service.core.drift import ModelDay
from service.core.record import PhotoFilter
from service.core.savings import GroupBy, Period, SavingsTotals
from service.core.spans import Spans, month_of, spans_of, week_of

Groups: TypeAlias = dict[str | None, SavingsTotals]
SumRow: TypeAlias = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    groups: Groups
    waiting_changes: int
    """How many changes were still to be folded into the sums."""


def found_in_sums(
    session: Session, period: Period, group_by: GroupBy | None, *, min_billable_bytes: int
) -> Found | None:
    """None where the sums were made with another billable minimum."""
    spans = spans_of(period, by_month=group_by not in (GroupBy.DAY, GroupBy.WEEK))
    shape = Shape(len(spans.months), len(spans.days), len(spans.moments), len(spans.missing))
    if shape == NOTHING:
        return Found({}, 0)
    # One statement: its parts see the same state of the tables.
    values = {"minimum": min_billable_bytes, **_values(spans)}
    rows = _with_sums(session.execute(_statement(group_by, shape), values).all())
    if not rows:
        return Found({}, 0)
    if rows[0].basis != min_billable_bytes:
        return None
    return Found(_groups_of(rows, group_by), rows[0].waiting)


def found_in_records(
    session: Session, period: Period, group_by: GroupBy | None, *, min_billable_bytes: int
) -> Groups:
    """At their cost."""
    received = conditions(PhotoFilter(from_=period.from_, to=period.to))
    query = _of_facts(facts_of_photos(*received), group_by, minimum=literal(min_billable_bytes))
    return _groups_of(_with_sums(session.execute(query).all()), group_by)


def totals_of(where: PhotoFilter, *, min_billable_bytes: int) -> Rows:
    """One row, in the order of the fields of `SavingsTotals`; of nothing its sums are None."""
    facts = facts_of_photos(*conditions(where))
    return select(*sums_of(facts, minimum=literal(min_billable_bytes))[: len(TOTALS)])


def model_days_of(session: Session, since: date, before: date) -> tuple[ModelDay, ...]:
    """By day and model."""
    values = {"day_first": since, "day_end": before}
    days: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0] * len(OF_MODELS))
    for day, of, *figures in session.execute(_model_days(), values).all():
        model = key_of(of) or ""
        days[day, model] = [a + int(b) for a, b in zip(days[day, model], figures, strict=True)]
    return tuple(ModelDay(*name, *figures) for name, figures in sorted(days.items()) if figures[0])


@cache
def _model_days() -> CompoundSelect[Any]:
    row = SavingsSumRow
    kept = select(row.start, row.key, *(getattr(row, name) for name in OF_MODELS)).where(
        row.dimension == Dimension.MODEL_VERSION.value,
        row.grain == Grain.DAY.value,
        _between(row.start, "day"),
    )
    facts = facts_of_changes(_between(SavingsChangeRow.day, "day"))
    sums = {each.name: each for each in sums_of(facts, minimum=literal(0))}
    key = key_in(facts, Dimension.MODEL_VERSION)
    new = select(facts.c.day, key, *(sums[name] for name in OF_MODELS)).group_by(facts.c.day, key)
    return union_all(kept, new)


@dataclass(frozen=True, slots=True)
class Shape:
    """How many spans of each kind a period has; statements differ by nothing else."""

    months: int
    days: int
    moments: int
    missing: int


NOTHING = Shape(0, 0, 0, 0)
MINIMUM: ColumnElement[int] = bindparam("minimum", type_=BigInteger())


@cache  # to build one takes longer than to run it
def _statement(group_by: GroupBy | None, shape: Shape) -> CompoundSelect[Any]:
    months = [f"month_{n}" for n in range(shape.months)]
    days = [f"day_{n}" for n in range(shape.days)]
    parts: list[Rows] = []
    if months:
        parts.append(_of_sums(Grain.MONTH, months, group_by))
    if days:
        parts.append(_of_sums(Grain.DAY, days, group_by))
    missing = [f"missing_{n}" for n in range(shape.missing)]
    if missing:
        parts.append(_of_sums(Grain.DAY, missing, group_by, sign=-1))
    if months or days:
        changes = facts_of_changes(
            _in_any(SavingsChangeRow.day, [*months, *days]),
            *(not_(_between(SavingsChangeRow.day, span)) for span in missing),
        )
        parts.append(_of_facts(changes, group_by, minimum=MINIMUM))
    for n in range(shape.moments):
        photos = facts_of_photos(_between(PhotoRow.received_at, f"moment_{n}"))
        parts.append(_of_facts(photos, group_by, minimum=MINIMUM))
    return union_all(*parts)


def _values(spans: Spans) -> dict[str, date | datetime]:
    """What `_statement` is to be run with; periods without an end get the calendar's."""
    values: dict[str, date | datetime] = {}
    whole = {"month": spans.months, "day": spans.days, "missing": spans.missing}
    for kind, of_kind in whole.items():
        for n, span in enumerate(of_kind):
            values[f"{kind}_{n}_first"] = span.first or date.min
            values[f"{kind}_{n}_end"] = span.end or date.max
    for n, period in enumerate(spans.moments):
        values[f"moment_{n}_first"] = period.from_ or datetime.min.replace(tzinfo=UTC)
        values[f"moment_{n}_end"] = period.to or datetime.max.replace(tzinfo=UTC)
    return values


def _of_sums(
    grain: Grain, spans: Iterable[str], group_by: GroupBy | None, *, sign: Literal[1, -1] = 1
) -> Rows:
    row = SavingsSumRow
    name = row.start if _is_of_time(group_by) else row.key
    summed = {total: func.sum(getattr(row, total)) for total in TOTALS}
    sums = [cast(sign * of_total, BigInteger).label(total) for total, of_total in summed.items()]
    query = select(name.label("name"), *sums, *_side())
    query = query.where(row.dimension == _dimension(group_by).value, row.grain == grain.value)
    return query.where(_in_any(row.start, spans)).group_by(name)


def _of_facts(facts: Subquery, group_by: GroupBy | None, *, minimum: ColumnElement[int]) -> Rows:
    dimension = _dimension(group_by)
    name = facts.c.day if _is_of_time(group_by) else key_in(facts, dimension)
    sums = sums_of(facts, minimum=minimum)[: len(TOTALS)]
    query = select(name.label("name"), *sums, *_side())
    if group_by is None:
        return query  # PostgreSQL groups by no constant
    return query.group_by(name)


def _groups_of(rows: Iterable[SumRow], group_by: GroupBy | None) -> Groups:
    """Those of the same key added up; of years of days there are a thousand, so plainly."""
    found: dict[str | None, list[int]] = {}
    for name, *sums in rows:
        key = _key_of(name, group_by)
        known = found.get(key)
        found[key] = sums if known is None else list(map(add, known, sums[: len(TOTALS)]))
    return {key: SavingsTotals(*sums[: len(TOTALS)]) for key, sums in found.items()}


def _key_of(name: date | str, group_by: GroupBy | None) -> str | None:
    if isinstance(name, str):
        return key_of(name)
    match group_by:
        case GroupBy.WEEK:
            return week_of(name).isoformat()
        case GroupBy.MONTH:
            return month_of(name).isoformat()
    return name.isoformat()


def _is_of_time(group_by: GroupBy | None) -> bool:
    return group_by is not None and group_by.is_of_time


def _dimension(group_by: GroupBy | None) -> Dimension:
    if group_by is None or group_by.is_of_time:
        return Dimension.ALL
    return Dimension(group_by.value)


def _with_sums(rows: Iterable[SumRow]) -> list[SumRow]:
    """Without the one that an ungrouped sum over nothing has. No photos may well change bytes."""
    return [row for row in rows if row.photos is not None]


def _in_any(day: InstrumentedAttribute[date], spans: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(_between(day, span) for span in spans))


def _between(column: InstrumentedAttribute[Any], span: str) -> ColumnElement[bool]:
    first, end = (bindparam(f"{span}_{name}", type_=column.type) for name in ("first", "end"))
    return and_(column >= first, column < end)


def _side() -> tuple[ColumnElement[Any], ...]:
    """What is known of the sums in the moment in which they are read."""
    basis = select(SavingsBasisRow.min_billable_bytes).scalar_subquery()
    waiting = select(func.count()).select_from(SavingsChangeRow).scalar_subquery()
    return basis.label("basis"), waiting.label("waiting")
