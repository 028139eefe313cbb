"""What `metercrop reconcile` shows: a line a difference, a table at the end."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.tables import pairs
from service.core.figures import printable, size
from service.usecases.reconcile import Compared, Difference, Fault


class ReconcileReport:
    """Differences go to stdout: they are what was asked for."""

    def __init__(self, compared: Compared, *, as_json: bool) -> None:
        self._compared = compared
        self._as_json = as_json
        self._console = Console(highlight=False)
        self._status = Console(stderr=True).status("comparing database and object store")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._status.stop()
        if error is not None:
            return
        if self._as_json:
            typer.echo(json.dumps(asdict(self._compared)))
        else:
            self._console.print(_table(self._compared))

    def tell(self, difference: Difference) -> None:
        if self._as_json:
            typer.echo(json.dumps(asdict(difference), default=str))
        else:
            self._console.print(Text(_line(difference)), soft_wrap=True)


def _line(difference: Difference) -> str:
    key = printable(difference.key)
    match difference.fault:
        case Fault.MISSING:
            return f"missing: {key} of photo {difference.photo_id}"
        case Fault.CHANGED:
            return (
                f"changed: {key} of photo {difference.photo_id} has {difference.stored_bytes} "
                f"bytes, recorded were {difference.recorded_bytes}"
            )
        case Fault.ORPHAN:
            done = "deleted" if difference.is_repaired else "orphan"
            return f"{done}: {key}, {size(difference.stored_bytes or 0)}, is in no record"


def _table(compared: Compared) -> Table:
    table = pairs()
    table.add_row("objects of records", f"{compared.owned:,}")
    table.add_row("objects in the store", f"{compared.stored:,}")
    table.add_row("too young to judge", f"{compared.recent:,}")
    table.add_row("deleted", f"{compared.repaired:,}")
    table.add_row("differences left", f"{compared.open:,}")
    return table
