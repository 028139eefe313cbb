"""`metercrop purge`."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.flags import STORAGE, Flags, takes_settings
from service.cli.logs import configure_logging
from service.cli.options import AsJson
from service.cli.signals import end_of_pass, stopped_by_signals
from service.settings import read_settings


@takes_settings(*STORAGE)
def purge(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Look at everything, delete nothing.")
    ] = False,
    locked: Annotated[
        bool, typer.Option("--locked", metavar="", help="Also try those again that a lock kept.")
    ] = False,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Deletes the originals whose grace has run out.

    But only where the crop, read back from the store, has the recorded bytes and can be decoded;
    else the original stays, its history says why, and the command ends with 1. Workers do the
    same every hour.

    Example: `metercrop purge --dry-run`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without
    from service.cli.purge_report import PurgeReport  # noqa: PLC0415  heavy as well

    settings = read_settings(flags)
    configure_logging()
    with (
        bootstrap.opened_keeping(settings) as keeping,
        stopped_by_signals() as stop,
        PurgeReport(as_json=as_json, dry_run=dry_run) as report,
    ):
        purge = bootstrap.purge_of(settings, keeping, stop=stop, dry_run=dry_run)
        for outcome in purge.purged(retry_locked=locked):
            report.tell(outcome)
    end_of_pass(stop, is_all_well=report.totals.is_all_well)
