"""What a pass over nobody knows how many objects shows: a count, alarms, a table at the end."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import TracebackType
from typing import Self
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from service.cli.tables import pairs
from service.core.figures import printable


class CountingReport(ABC):
    """What somebody should look at comes on stderr, a line each; so does the bar, on a terminal."""

    def __init__(self, name: str, *, as_json: bool) -> None:
        self._as_json = as_json
        self._errors = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[done]}"),
            console=self._errors,
            disable=not self._errors.is_terminal,
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._bar.add_task(name, total=None, done="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if self._as_json:
            typer.echo(json.dumps(self._account()))
        else:
            Console(highlight=False).print(self._table())

    @abstractmethod
    def _account(self) -> dict[str, object]:
        """All of it, for machines."""

    @abstractmethod
    def _rows(self) -> Iterable[tuple[str, str]]:
        """The same for people."""

    def _alarm(self, photo_id: UUID, message: str, why: str) -> None:
        self._errors.print(Text(f"{photo_id}: {printable(message)} ({why})"), soft_wrap=True)

    def _counted(self, done: str) -> None:
        """One more; `done` says how far the work has come."""
        self._bar.update(self._task, advance=1, done=done)

    def _table(self) -> Table:
        table = pairs()
        for name, figure in self._rows():
            table.add_row(name, figure)
        return table


def staying(why: str, count: int) -> tuple[str, str]:
    """The row of those that stay for a reason."""
    return f"stays, {why.replace('_', ' ')}", f"{count:,}"
