"""What the two databases write differently."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Date, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class DayOf(FunctionElement[date]):
    """Of a moment, in UTC."""

    type = Date()
    inherit_cache = True


class MonthOf(FunctionElement[date]):
    """The first day of a day's month."""

    type = Date()
    inherit_cache = True


class CutOff(FunctionElement[int]):
    """A number without what comes after its point."""

    type = BigInteger()
    inherit_cache = True


def day_of(moment: SQLColumnExpression[Any]) -> DayOf:
    return DayOf(moment)


def month_of(day: SQLColumnExpression[date]) -> MonthOf:
    return MonthOf(day)


def cut_off(number: SQLColumnExpression[float]) -> CutOff:
    return CutOff(number)


@compiles(DayOf)
def _day(element: DayOf, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"cast({compiler.process(element.clauses, **kw)} at time zone 'UTC' as date)"


@compiles(DayOf, "sqlite")
def _day_of_text(element: DayOf, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"date({compiler.process(element.clauses, **kw)})"  # kept in UTC


@compiles(MonthOf)
def _month(element: MonthOf, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"cast(date_trunc('month', {compiler.process(element.clauses, **kw)}) as date)"


@compiles(MonthOf, "sqlite")
def _month_of_text(element: MonthOf, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"date({compiler.process(element.clauses, **kw)}, 'start of month')"


@compiles(CutOff)
def _whole(element: CutOff, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"cast(trunc({compiler.process(element.clauses, **kw)}) as bigint)"


@compiles(CutOff, "sqlite")
def _whole_by_cast(element: CutOff, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401
    return f"cast({compiler.process(element.clauses, **kw)} as integer)"
