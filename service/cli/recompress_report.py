"""What `metercrop recompress` shows: a count that goes up, what is wrong, a table at the end."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.counting_bar import CountingBar
from service.core.figures import printable, size
from service.usecases.recompress_outcomes import (
    ALARMS,
    Recompressed,
    RecompressTotals,
    StaysAsItIs,
)


class RecompressReport:
    """What somebody should look at comes on stderr, a line each."""

    def __init__(self, *, as_json: bool, dry_run: bool, undo: bool) -> None:
        self.totals = RecompressTotals()
        self._as_json = as_json
        self._dry_run = dry_run
        self._done = "unpacked" if undo else "packed"
        self._errors = Console(stderr=True, highlight=False)
        self._bar = CountingBar(self._errors, "crops")

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

    def tell(self, outcome: Recompressed | StaysAsItIs) -> None:
        totals = self.totals
        totals.add(outcome)
        match outcome:
            case StaysAsItIs(record, why, message) if why in ALARMS:
                line = f"{record.id}: {printable(message)} ({why})"
                self._errors.print(Text(line), soft_wrap=True)
        self._bar.tell(f"{totals.photos:,} looked at, {totals.recompressed:,} {self._done}")

    def _account(self) -> dict[str, object]:
        totals = self.totals
        return {
            "dry_run": self._dry_run,
            self._done: totals.recompressed,
            "bytes_before": totals.bytes_before,
            "bytes_now": totals.bytes_now,
            "saved_bytes": totals.saved_bytes,
            "stay": {why.value: count for why, count in totals.stay.most_common()},
            "is_all_well": totals.is_all_well,
        }

    def _table(self) -> Table:
        """Of a dry run, what would be."""
        totals = self.totals
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold")
        table.add_column(justify="right")
        done = f"would be {self._done}" if self._dry_run else self._done
        table.add_row(done, f"{totals.recompressed:,}")
        table.add_row("bytes before", size(totals.bytes_before))
        table.add_row("bytes now", size(totals.bytes_now))
        if totals.saved_bytes > 0:
            share = totals.saved_bytes / totals.bytes_before
            table.add_row("saved", f"{size(totals.saved_bytes)}, {share:.1%}")
        for why, count in totals.stay.most_common():
            table.add_row(f"stays, {why.replace('_', ' ')}", f"{count:,}")
        return table
