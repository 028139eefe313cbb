"""Sums over photos as statements, from their records or from the changes that wait.

Both are first brought to the same columns, those of `savings_changes`, so that one set of
expressions sums up either.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Label,
    Select,
    SQLColumnExpression,
    Subquery,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect

from service.adapters.sql.dialects import cut_off, day_of, month_of
from service.adapters.sql.savings_tables import SavingsChangeRow
from service.adapters.sql.tables import PhotoRow
from service.core.crop import Reason
from service.core.drift import PARTS_PER_UNIT, VERSION_DIGITS
from service.core.record import Status

Rows: TypeAlias = Select[*tuple[Any, ...]]

TOTALS = (
    "photos",
    "cropped",
    "original_bytes",
    "stored_bytes",
    "retained_bytes",
    "billable_original_bytes",
    "billable_stored_bytes",
    "billable_retained_bytes",
)
"""Columns of sums, in the order of the fields of `SavingsTotals`."""
OF_MODELS = ("photos", "cropped", "refused", "confidence_millionths", "region_millionths")
"""As the fields of `ModelDay` after its day and model."""
BILLABLE = TOTALS[5:]
ALL = (*TOTALS, *OF_MODELS[2:])

# Written out, as PostgreSQL takes no two parameters for the same when it groups.
NONE: ColumnElement[str] = literal_column("''")
GIVEN: ColumnElement[str] = literal_column("'='")


class Dimension(StrEnum):
    ALL = "all"
    SITE = "site"
    METER_TYPE = "meter_type"
    MODEL = "model"
    MODEL_VERSION = "model_version"
    REASON = "reason"
    SOURCE = "source"


class Grain(StrEnum):
    DAY = "day"
    MONTH = "month"


def facts_of_photos(*conditions: ColumnElement[bool]) -> Subquery:
    """A row a photo."""
    photo = PhotoRow
    model_version = photo.model_name + " " + func.substr(photo.model_sha256, 1, VERSION_DIGITS)
    kept = photo.status != Status.CROPPED.value
    restored = func.coalesce(photo.reason, "") == Reason.RESTORED.value
    return (
        select(
            literal(1).label("sign"),
            day_of(photo.received_at).label("day"),
            photo.site,
            photo.meter_type,
            photo.model_name.label("model"),
            model_version.label("model_version"),
            photo.reason,
            photo.source,
            _one_where(~kept).label("cropped"),
            _one_where(kept & ~restored).label("refused"),
            _one_where(photo.retained_key.is_not(None)).label("retained"),
            photo.original_bytes,
            photo.stored_bytes,
            photo.context_bytes,
            cut_off(photo.confidence * PARTS_PER_UNIT).label("confidence_millionths"),
            _region_millionths().label("region_millionths"),
        )
        .where(*conditions)
        .subquery("facts")
    )


def facts_of_changes(*conditions: ColumnElement[bool]) -> Subquery:
    """A row a photo added or taken away."""
    return select(SavingsChangeRow).where(*conditions).subquery("facts")


def sums_of(facts: Subquery, *, minimum: ColumnElement[int]) -> list[Label[Any]]:
    """Labelled and ordered as `ALL`; billable ones count an object with the minimum at least."""
    fact = facts.c
    billed_original = at_least(minimum, fact.original_bytes)
    billed_context = case(
        (fact.context_bytes.is_(None), 0),
        else_=at_least(minimum, fact.context_bytes),
    )
    values: dict[str, ColumnElement[int]] = {
        "photos": literal(1),
        "cropped": fact.cropped,
        "original_bytes": fact.original_bytes,
        "stored_bytes": fact.stored_bytes + func.coalesce(fact.context_bytes, 0),
        "retained_bytes": fact.retained * fact.original_bytes,
        "billable_original_bytes": billed_original,
        "billable_stored_bytes": at_least(minimum, fact.stored_bytes) + billed_context,
        "billable_retained_bytes": fact.retained * billed_original,
        "refused": fact.refused,
        "confidence_millionths": fact.confidence_millionths,
        "region_millionths": fact.region_millionths,
    }
    # The sum of BIGINT is a decimal in PostgreSQL, without an end to its digits.
    return [cast(func.sum(fact.sign * values[name]), BigInteger).label(name) for name in ALL]


def key_in(facts: Subquery, dimension: Dimension) -> ColumnElement[str]:
    """As `savings_sums` keeps it, so that no key at all differs from an empty one."""
    if dimension is Dimension.ALL:
        return NONE
    return func.coalesce(GIVEN.concat(facts.c[dimension.value]), NONE)


def key_of(kept: str) -> str | None:
    return kept.removeprefix("=") if kept else None


def summed(facts: Subquery, grain: Grain, *, minimum: int) -> CompoundSelect[Any]:
    """Rows of `savings_sums`, of all dimensions."""
    sums = sums_of(facts, minimum=literal(minimum, BigInteger()))
    day = facts.c.day
    start = month_of(day) if grain is Grain.MONTH else day
    return union_all(
        *(
            select(
                literal(dimension.value).label("dimension"),
                literal(grain.value).label("grain"),
                start.label("start"),
                key_in(facts, dimension).label("key"),
                *sums,
            )
            .where(true())  # without it SQLite takes ON CONFLICT for a part of the FROM
            .group_by(start, *_grouped_by(facts, dimension))
            for dimension in Dimension
        )
    )


def _grouped_by(facts: Subquery, dimension: Dimension) -> list[ColumnElement[str]]:
    """PostgreSQL groups by no constant."""
    return [] if dimension is Dimension.ALL else [key_in(facts, dimension)]


def at_least(minimum: ColumnElement[int], value: SQLColumnExpression[int]) -> ColumnElement[int]:
    return case((value < minimum, minimum), else_=value)


def _one_where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _region_millionths() -> ColumnElement[int]:
    photo = PhotoRow
    width, height = (
        cast(photo.region_right - photo.region_left, BigInteger),
        cast(photo.region_bottom - photo.region_top, BigInteger),
    )
    area = cast(photo.original_width, BigInteger) * photo.original_height
    return func.coalesce(width * height * PARTS_PER_UNIT // area, 0)
