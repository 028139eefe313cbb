"""What `metercrop purge` shows: a count that goes up, what stays and why, a table at the end."""

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
from service.usecases.purge_outcomes import Purged, PurgeTotals, Stays, Why

EXPECTED = frozenset({Why.LOCKED, Why.MARKED})
"""Whole buckets of them are nothing to look at one by one."""


class PurgeReport:
    """What stays for a reason that somebody should look at comes on stderr, a line each."""

    def __init__(self, *, as_json: bool, dry_run: bool) -> None:
        self.totals = PurgeTotals()
        self._as_json = as_json
        self._dry_run = dry_run
        self._errors = Console(stderr=True, highlight=False)
        self._bar = CountingBar(self._errors, "originals")

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
            typer.echo(json.dumps(_account(self.totals, dry_run=self._dry_run)))
        else:
            Console(highlight=False).print(_table(self.totals, dry_run=self._dry_run))

    def tell(self, outcome: Purged | Stays) -> None:
        self.totals.add(outcome)
        match outcome:
            case Stays(record, why, message) if why not in EXPECTED:
                line = f"{record.id}: {printable(message)} ({why})"
                self._errors.print(Text(line), soft_wrap=True)
        freed = size(self.totals.freed_bytes)
        self._bar.tell(f"{self.totals.photos:,} looked at, {freed} freed")


def _account(totals: PurgeTotals, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "purged": totals.purged,
        "freed_bytes": totals.freed_bytes,
        "stay": {why.value: count for why, count in totals.stay.most_common()},
        "is_all_well": totals.is_all_well,
    }


def _table(totals: PurgeTotals, *, dry_run: bool) -> Table:
    """Of a dry run, what would be; a lock or a versioned bucket only shows when it is tried."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("would be purged" if dry_run else "purged", f"{totals.purged:,}")
    table.add_row("would be freed" if dry_run else "freed", size(totals.freed_bytes))
    table.add_row("kept by a lock", f"{totals.stay[Why.LOCKED]:,}")
    table.add_row("behind a delete marker", f"{totals.stay[Why.MARKED]:,}")
    for why, count in totals.stay.most_common():
        if why not in EXPECTED:
            table.add_row(f"stays, {why.replace('_', ' ')}", f"{count:,}")
    return table
