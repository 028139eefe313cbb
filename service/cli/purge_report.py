"""What `metercrop purge` shows: a count that goes up, what stays and why, a table at the end."""

from __future__ import annotations

from collections.abc import Iterator

from service.cli.counting_report import CountingReport, staying
from service.core.figures import size
from service.usecases.purge_outcomes import Purged, PurgeTotals, Stays, Why

EXPECTED = frozenset({Why.LOCKED, Why.MARKED})
"""Whole buckets of them are nothing to look at one by one."""


class PurgeReport(CountingReport):
    """Of a dry run, what would be; a lock or a versioned bucket only shows when it is tried."""

    def __init__(self, *, as_json: bool, dry_run: bool) -> None:
        super().__init__("originals", as_json=as_json)
        self.totals = PurgeTotals()
        self._dry_run = dry_run

    def tell(self, outcome: Purged | Stays) -> None:
        totals = self.totals
        totals.add(outcome)
        match outcome:
            case Stays(record, why, message) if why not in EXPECTED:
                self._alarm(record.id, message, why)
        self._counted(f"{totals.photos:,} looked at, {size(totals.freed_bytes)} freed")

    def _account(self) -> dict[str, object]:
        totals = self.totals
        return {
            "dry_run": self._dry_run,
            "purged": totals.purged,
            "freed_bytes": totals.freed_bytes,
            "stay": {why.value: count for why, count in totals.stay.most_common()},
            "is_all_well": totals.is_all_well,
        }

    def _rows(self) -> Iterator[tuple[str, str]]:
        totals = self.totals
        yield "would be purged" if self._dry_run else "purged", f"{totals.purged:,}"
        yield "would be freed" if self._dry_run else "freed", size(totals.freed_bytes)
        yield "kept by a lock", f"{totals.stay[Why.LOCKED]:,}"
        yield "behind a delete marker", f"{totals.stay[Why.MARKED]:,}"
        for why, count in totals.stay.most_common():
            if why not in EXPECTED:
                yield staying(why, count)
