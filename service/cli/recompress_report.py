"""What `metercrop recompress` shows: a count that goes up, what is wrong, a table at the end."""

from __future__ import annotations

from collections.abc import Iterator

from service.cli.counting_report import CountingReport, staying
from service.core.figures import size
from service.usecases.recompress_outcomes import (
    ALARMS,
    Recompressed,
    RecompressTotals,
    StaysAsItIs,
)


class RecompressReport(CountingReport):
    """Of a dry run, what would be."""

    def __init__(self, *, as_json: bool, dry_run: bool, undo: bool) -> None:
        super().__init__("crops", as_json=as_json)
        self.totals = RecompressTotals()
        self._dry_run = dry_run
        self._done = "unpacked" if undo else "packed"

    def tell(self, outcome: Recompressed | StaysAsItIs) -> None:
        totals = self.totals
        totals.add(outcome)
        match outcome:
            case StaysAsItIs(record, why, message) if why in ALARMS:
                self._alarm(record.id, message, why)
        self._counted(f"{totals.photos:,} looked at, {totals.recompressed:,} {self._done}")

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

    def _rows(self) -> Iterator[tuple[str, str]]:
        totals = self.totals
        done = f"would be {self._done}" if self._dry_run else self._done
        yield done, f"{totals.recompressed:,}"
        yield "bytes before", size(totals.bytes_before)
        yield "bytes now", size(totals.bytes_now)
        if totals.saved_bytes > 0:
            share = totals.saved_bytes / totals.bytes_before
            yield "saved", f"{size(totals.saved_bytes)}, {share:.1%}"
        for why, count in totals.stay.most_common():
            yield staying(why, count)
