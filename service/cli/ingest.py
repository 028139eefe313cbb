"""`metercrop ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.flags import WORK, Flags, takes_settings
from service.cli.logs import configure_logging
from service.cli.signals import INTERRUPTED, stopped_by_signals
from service.settings import read_settings


@takes_settings(*WORK)
def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Photos, or folders of photos.", exists=True),
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print a record a line.")
    ] = False,
    flags: Flags,
) -> None:
    """Takes in the photos of files and folders, as if each was uploaded.

    Hidden files in folders are left out. What was stored before is not stored again, so the same
    command goes on where it was stopped.

    Example: `metercrop ingest photos/2026 one.jpg`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without
    from service.cli.ingest_report import IngestReport  # noqa: PLC0415  heavy as well
    from service.usecases.photo_files import photo_files  # noqa: PLC0415  heavy as well

    settings = read_settings(flags)
    configure_logging()
    machine = bootstrap.assembled(settings)
    files = list(photo_files(paths))
    with stopped_by_signals() as stop, IngestReport(len(files), as_json=as_json) as report:
        for outcome in bootstrap.ingest_of(settings, machine, stop=stop).outcomes(files):
            report.tell(outcome)
    if stop.is_set():
        done = f"{report.totals.photos} of {len(files)} photos are done, nothing is half-written"
        typer.echo(f"metercrop: stopped; {done}, and the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED)
    if report.totals.failed:
        raise typer.Exit(1)
