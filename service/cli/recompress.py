"""`metercrop recompress`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from service.cli.flags import STORAGE, Flags, takes_settings
from service.cli.logs import configure_logging
from service.cli.options import AsJson
from service.cli.signals import end_of_pass, stopped_by_signals
from service.core.errors import Misconfigured
from service.settings import Settings, read_settings


@takes_settings("archive_encoding", *STORAGE)
def recompress(
    *,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Look at so many crops at most.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Pack everything, keep nothing of it.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", metavar="", help="Unpack what is packed, for good.")
    ] = False,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Packs stored JPEG crops into fewer bytes, from which the very same JPEGs are served.

    Each is unpacked, read back and compared before the crop as it was is deleted. One that would
    not get smaller, or would not come back as it was, stays, and is not tried again. Workers do
    the same in the background where METERCROP_ARCHIVE_ENCODING is set.

    Example: `metercrop recompress --archive-encoding jxl --limit 1000 --dry-run`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without
    from service.cli.recompress_report import RecompressReport  # noqa: PLC0415  heavy as well
    from service.usecases.recompress import LEFT_ALONE_FOR  # noqa: PLC0415  heavy as well

    settings = read_settings(flags)
    _require_one_way(settings, undo=undo)
    configure_logging()
    with (
        bootstrap.opened_keeping(settings) as keeping,
        stopped_by_signals() as stop,
    ):
        work = bootstrap.recompress_of(settings, keeping, stop=stop, dry_run=dry_run)
        outcomes = work.unpacked(limit=limit) if undo else work.packed(limit=limit)
        with RecompressReport(as_json=as_json, dry_run=dry_run, undo=undo) as report:
            for outcome in outcomes:
                report.tell(outcome)
    if not undo and not report.totals.photos:
        minutes = LEFT_ALONE_FOR // timedelta(minutes=1)
        typer.echo(f"nothing to pack: new crops are left alone for {minutes} minutes", err=True)
    end_of_pass(stop, is_all_well=report.totals.is_all_well)


def _require_one_way(settings: Settings, *, undo: bool) -> None:
    if undo and settings.archive_encoding is not None:
        raise Misconfigured(
            "settings.archive_encoding",
            "METERCROP_ARCHIVE_ENCODING is set, so workers would pack again what is unpacked; "
            "unset it everywhere, then undo",
        )
    if not undo and settings.archive_encoding is None:
        raise Misconfigured(
            "settings.archive_encoding",
            "METERCROP_ARCHIVE_ENCODING is not set; set it to jxl, or name it: "
            "--archive-encoding jxl",
        )
