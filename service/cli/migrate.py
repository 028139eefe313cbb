"""`metercrop migrate`."""

from __future__ import annotations

import typer

from service.cli.flags import DATABASE, Flags, takes_settings
from service.settings import masked, read_settings


@takes_settings(*DATABASE)
def migrate(*, flags: Flags) -> None:
    """Brings the database up to date.

    serve and ingest do it themselves with the embedded one.

    Example: `metercrop migrate --database-url postgresql://metercrop@db/metercrop`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    settings = read_settings(flags)
    bootstrap.migrate_database(settings)
    typer.echo(f"the database {masked(settings.database)} is up to date")
