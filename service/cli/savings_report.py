"""What `metercrop savings` shows: figures in words, or a table of groups with their sum below."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.tables import pairs
from service.core.figures import money, printable, share, size
from service.core.savings import GroupBy, Rebuilt, SavingsReport, SavingsTotals

WITHOUT = {
    GroupBy.SITE: "(no site)",
    GroupBy.METER_TYPE: "(no meter type)",
    GroupBy.REASON: "(cropped)",
}
MONTH_CHARS = len("2026-03")


def show_report(report: SavingsReport, *, price_per_gb_month: float, currency: str) -> None:
    table = _totals_table if report.group_by is None else _groups_table
    shown = table(report, price_per_gb_month, currency)
    Console(highlight=False).print(shown)


def show_rebuilt(rebuilt: Rebuilt) -> None:
    outcome = "all as the records say" if rebuilt.agreed else f"{rebuilt.wrong:,} were wrong"
    table = pairs()
    table.add_row("photos", f"{rebuilt.photos:,}")
    table.add_row("sums", f"{rebuilt.sums:,}")
    table.add_row("before", outcome)
    Console(highlight=False).print(table)


def _totals_table(report: SavingsReport, price: float, currency: str) -> Table:
    totals, table = report.totals, pairs()
    table.add_row("photos", f"{totals.photos:,}")
    table.add_row("cropped", f"{totals.cropped:,}")
    table.add_row("kept as they came", f"{totals.kept_original:,}")
    table.add_row("original", size(totals.original_bytes))
    table.add_row("stored", size(totals.stored_bytes))
    table.add_row("saved", f"{size(totals.saved_bytes)}  {share(totals.saved_fraction)}")
    table.add_row("saved per photo", size(totals.mean_saved_bytes))
    table.add_row("freed", size(totals.freed_bytes))
    if totals.billable_saved_bytes != totals.freed_bytes:
        table.add_row("freed as it is billed", size(totals.billable_saved_bytes))
    table.add_row("money per month", f"{_money(totals, price)} {currency}")
    return table


def _groups_table(report: SavingsReport, price: float, currency: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_footer=True)
    table.add_column(f"{report.group_by}".replace("_", " "), "all", overflow="fold")
    numbers = ("photos", "kept", "original", "stored", "saved", "", "freed", f"{currency}/month")
    for name, below in zip(numbers, _cells(report.totals, price), strict=True):
        table.add_column(name, below, justify="right", no_wrap=True)
    for group in report.groups:
        table.add_row(_named(group.key, report.group_by), *_cells(group.totals, price))
    return table


def _cells(totals: SavingsTotals, price: float) -> tuple[str, ...]:
    return (
        f"{totals.photos:,}",
        f"{totals.kept_original:,}",
        size(totals.original_bytes),
        size(totals.stored_bytes),
        size(totals.saved_bytes),
        share(totals.saved_fraction),
        size(totals.freed_bytes),
        _money(totals, price),
    )


def _named(key: str | None, group_by: GroupBy | None) -> Text:
    """Names come from outside: neither their control characters nor brackets do anything."""
    if key is None:
        return Text(WITHOUT.get(group_by, "-") if group_by else "-")
    return Text(key[:MONTH_CHARS] if group_by is GroupBy.MONTH else printable(key))


def _money(totals: SavingsTotals, price: float) -> str:
    return money(totals.money_per_month(price_per_gb_month=price))
