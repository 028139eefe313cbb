"""`metercrop restore`."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from service.cli.flags import STORAGE, Flags, takes_settings
from service.cli.logs import configure_logging
from service.cli.options import AsJson
from service.settings import read_settings


@takes_settings(*STORAGE)
def restore(
    photo_id: Annotated[UUID, typer.Argument(metavar="PHOTO_ID", help="As its record says.")],
    *,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Makes a retained original the stored object again, and deletes its crop.

    Example: `metercrop restore 0199e3c4-7d1a-7c52-b8a4-4c8d2f6e9a10`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without
    from service.api.schemas import PhotoAnswer  # noqa: PLC0415  heavy as well

    settings = read_settings(flags)
    configure_logging()
    with bootstrap.opened_keeping(settings) as keeping:
        record = bootstrap.restore_of(settings, keeping).restored(photo_id)
    if as_json:
        typer.echo(PhotoAnswer.of(record).model_dump_json())
    else:
        typer.echo(f"the original of photo {record.id} is stored as {record.stored.key}")
