"""What `metercrop ingest` shows: a bar, failures and records as they come, a table at the end."""

from __future__ import annotations

import sys
from collections import Counter
from time import perf_counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from service.api.schemas import PhotoAnswer
from service.cli.tables import pairs
from service.core.figures import printable, share, size
from service.usecases.ingest import Failed, IngestTotals, Taken


class IngestReport:
    """Records go to stdout, one a line, where JSON is asked for; else the table goes there."""

    def __init__(self, photos: int, *, as_json: bool) -> None:
        self.totals = IngestTotals()
        self._as_json = as_json
        self._started = perf_counter()
        self._errors = Console(stderr=True, highlight=False)
        self._bar = _bar(self._errors, records_on_terminal=as_json and sys.stdout.isatty())
        self._task = self._bar.add_task("photos", total=photos)

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
        console = self._errors if self._as_json else Console(highlight=False)
        console.print(_table(self.totals, seconds=perf_counter() - self._started))

    def tell(self, outcome: Taken | Failed) -> None:
        self.totals.add(outcome)
        match outcome:
            case Failed(path, code, message):
                line = f"{printable(str(path))}: {printable(message)} ({code})"
                self._errors.print(Text(line), soft_wrap=True)
            case Taken(record=record) if self._as_json:
                print(PhotoAnswer.of(record).model_dump_json(), flush=True)  # noqa: T201
        self._bar.advance(self._task)


def _bar(console: Console, *, records_on_terminal: bool) -> Progress:
    """Drawn on a terminal only, and not between records that go to the same one."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=records_on_terminal or not console.is_terminal,
        transient=True,
        redirect_stdout=False,
    )


def _table(totals: IngestTotals, *, seconds: float) -> Table:
    table = pairs()
    table.add_column()
    saved = totals.original_bytes - totals.stored_bytes
    table.add_row("photos", f"{totals.photos:,}")
    table.add_row("cropped", f"{totals.cropped:,}")
    table.add_row("kept as they came", f"{totals.kept.total():,}", _shares(totals.kept))
    table.add_row("already stored", f"{totals.already_stored:,}")
    table.add_row("failed", f"{totals.failed.total():,}", _shares(totals.failed))
    table.add_row("before", size(totals.original_bytes))
    table.add_row("after", size(totals.stored_bytes))
    table.add_row("saved", size(saved), share(saved / max(totals.original_bytes, 1)))
    table.add_row("per photo", f"{1000 * seconds / max(totals.photos, 1):,.0f} ms")
    return table


def _shares(counted: Counter[str]) -> str:
    """Most frequent first: `no_region 3, low_confidence 1`."""
    return ", ".join(f"{name} {count:,}" for name, count in counted.most_common())
