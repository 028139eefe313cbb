"""Statements that every upload runs, made ready for the driver once.

To bring one to it anew, SQLAlchemy takes as long as SQLite takes to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from sqlalchemy import Connection, CursorResult, Dialect, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Conversion = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as a driver takes it; what goes wrong in it is told as of any other."""

    sql: str
    parameters: tuple[tuple[str, Conversion | None], ...]
    """In their order: name, and what makes the driver's value of one."""
    positional: bool

    @classmethod
    def of(cls, statement: Executable, dialect: Dialect) -> Self:
        """For one without lists in it, with a value for each column that it names."""
        compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=dialect))
        types = {name: bind.type for name, bind in compiled.binds.items()}
        parameters = tuple(
            (name, types[name].dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or types
        )
        return cls(compiled.string, parameters, compiled.positional)

    def run(
        self, connection: Connection, values: Mapping[str, object]
    ) -> CursorResult[*tuple[Any, ...]]:
        """What it returns, its values as the driver has them."""
        converted = [
            (name, values[name] if convert is None else convert(values[name]))
            for name, convert in self.parameters
        ]
        given = tuple(value for _, value in converted) if self.positional else dict(converted)
        return connection.exec_driver_sql(self.sql, given)
