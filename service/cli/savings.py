"""`metercrop savings`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from service.cli.flags import DATABASE, MONEY, Flags, takes_settings
from service.cli.logs import configure_logging
from service.cli.options import AsJson
from service.cli.savings_report import show_rebuilt, show_report
from service.core.savings import GroupBy, asked_period
from service.ports import Ledger
from service.settings import Settings, read_settings


def moment(text: str) -> datetime:
    """A day of UTC, or an RFC 3339 time; without a zone it is UTC's."""
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is neither a day such as 2026-03-01 nor a time such as 2026-03-01T09:35:21Z"
        ) from error


@takes_settings(*DATABASE, *MONEY)
def savings(
    *,
    from_: Annotated[
        datetime | None,
        typer.Option("--from", parser=moment, metavar="DATE", help="First day or moment, UTC."),
    ] = None,
    to: Annotated[
        datetime | None,
        typer.Option("--to", parser=moment, metavar="DATE", help="First one left out, UTC."),
    ] = None,
    group_by: Annotated[
        GroupBy | None,
        typer.Option(metavar="G", help=f"A row for each {', '.join(GroupBy)}."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", metavar="", help="Print CSV.")] = False,
    as_json: AsJson = False,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            metavar="",
            help="Make the sums behind the report anew from the records; exit 1 where they differ.",
        ),
    ] = False,
    flags: Flags,
) -> None:
    """Shows what was saved.

    Example: `metercrop savings --from 2026-03-01 --to 2026-04-01 --group-by site`
    """
    if as_csv and as_json:
        raise typer.BadParameter("either --csv or --json")
    if rebuild and (from_, to, group_by, as_csv) != (None, None, None, False):
        raise typer.BadParameter("--rebuild is about all photos; it takes --json alone")
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    settings = read_settings(flags)
    configure_logging()
    with bootstrap.opened_ledger(settings) as ledger:
        if rebuild:
            _rebuild(ledger, settings, as_json=as_json)
            return
        now = datetime.now(UTC)
        period = asked_period(from_, to, default_days=settings.savings_days, now=now)
        report = ledger.savings(
            period, group_by=group_by, min_billable_bytes=settings.min_billable_bytes
        )
    if not (as_csv or as_json):
        price = settings.price_per_gb_month
        show_report(report, price_per_gb_month=price, currency=settings.currency)
        return
    from service.api.savings import savings_csv  # noqa: PLC0415  heavy as well
    from service.api.savings_schemas import SavingsAnswer, Tariff  # noqa: PLC0415

    tariff = Tariff(settings.price_per_gb_month, settings.currency, settings.min_billable_bytes)
    answer = SavingsAnswer.of(report, tariff)
    if as_json:
        typer.echo(answer.model_dump_json(by_alias=True))
    else:
        for some in savings_csv(answer):
            typer.echo(some.decode(), nl=False)


def _rebuild(ledger: Ledger, settings: Settings, *, as_json: bool) -> None:
    rebuilt = ledger.rebuild_savings(min_billable_bytes=settings.min_billable_bytes)
    if as_json:
        typer.echo(json.dumps({**asdict(rebuilt), "agreed": rebuilt.agreed}))
    else:
        show_rebuilt(rebuilt)
    if not rebuilt.agreed:
        raise typer.Exit(1)
