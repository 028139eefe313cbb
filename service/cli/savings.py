"""`metercrop savings`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.cli.flags import DATABASE, MONEY, Flags, takes_settings
from service.cli.options import AsJson
from service.core.figures import share, size
from service.core.record import PhotoFilter
from service.core.savings import SavingsTotals
from service.settings import read_settings

FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]


@takes_settings(*DATABASE, *MONEY)
def savings(
    *,
    from_: Annotated[
        datetime | None,
        typer.Option("--from", formats=FORMATS, metavar="DATE", help="First day or moment, UTC."),
    ] = None,
    to: Annotated[
        datetime | None,
        typer.Option("--to", formats=FORMATS, metavar="DATE", help="First one left out, UTC."),
    ] = None,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Shows what was saved.

    Example: `metercrop savings --from 2026-03-01 --to 2026-04-01`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without
    from service.api.schemas import SavingsAnswer, TotalsAnswer  # noqa: PLC0415  heavy as well

    settings = read_settings(flags)
    where = PhotoFilter(from_=_in_utc(from_), to=_in_utc(to))
    with bootstrap.opened_ledger(settings) as ledger:
        totals = ledger.totals(where, min_billable_bytes=settings.min_billable_bytes)
    price = settings.price_per_gb_month
    if as_json:
        answer = TotalsAnswer.of(totals, price_per_gb_month=price)
        document = SavingsAnswer(from_=where.from_, to=where.to, totals=answer, groups=[])
        typer.echo(document.model_dump_json(by_alias=True))
    else:
        money = totals.money_per_month(price_per_gb_month=price)
        Console(highlight=False).print(_table(totals, money=money))


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _table(totals: SavingsTotals, *, money: float) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("photos", f"{totals.photos:,}")
    table.add_row("cropped", f"{totals.cropped:,}")
    table.add_row("kept as they came", f"{totals.kept_original:,}")
    table.add_row("original", size(totals.original_bytes))
    table.add_row("stored", size(totals.stored_bytes))
    table.add_row("saved", f"{size(totals.saved_bytes)}  {share(totals.saved_fraction)}")
    table.add_row("saved per photo", size(totals.mean_saved_bytes))
    table.add_row("freed", size(totals.freed_bytes))
    table.add_row("money per month", f"{money:,.2f}" if money >= 1 else f"{money:.2g}")
    return table
