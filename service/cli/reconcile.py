"""`metercrop reconcile`."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.flags import STORAGE, Flags, takes_settings
from service.cli.logs import configure_logging
from service.cli.options import AsJson
from service.settings import read_settings


@takes_settings(*STORAGE)
def reconcile(
    *,
    repair: Annotated[
        bool,
        typer.Option("--repair", metavar="", help="Delete objects that no record knows."),
    ] = False,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Compares database and object store both ways, and ends with 1 where they differ.

    It tells of objects that are missing or have another size than was recorded, and of those that
    no record knows: a crash between storing and recording leaves one. `--repair` deletes these
    once they are a day old; what is missing it can't bring back.

    Example: `metercrop reconcile --json`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without
    from service.cli.reconcile_report import ReconcileReport  # noqa: PLC0415  heavy as well

    settings = read_settings(flags)
    configure_logging()
    with bootstrap.opened_keeping(settings) as keeping:
        comparison = bootstrap.reconcile_of(keeping, repair=repair)
        with ReconcileReport(comparison.compared, as_json=as_json) as report:
            for difference in comparison.differences():
                report.tell(difference)
    if comparison.compared.open:
        raise typer.Exit(1)
