"""All commands under one name; what each does is in the file of its name."""

from __future__ import annotations

import typer

from service.cli import keys
from service.cli.doctor import doctor
from service.cli.ingest import ingest
from service.cli.jobs import jobs
from service.cli.migrate import migrate
from service.cli.purge import purge
from service.cli.recompress import recompress
from service.cli.reconcile import reconcile
from service.cli.reprocess import reprocess
from service.cli.restore import restore
from service.cli.savings import savings
from service.cli.serve import serve
from service.cli.worker import worker


def application() -> typer.Typer:
    """Exit codes: 0 success, 1 a failure said on stderr, 2 wrong usage, 130 stopped by Ctrl-C."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,  # they print local variables, and with them secrets
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Keeps what matters of meter photos: an exact crop of the reading, "
        "and proof of what it saved.",
    )
    for command in (
        serve,
        ingest,
        reprocess,
        jobs,
        worker,
        savings,
        restore,
        purge,
        recompress,
        reconcile,
        migrate,
        doctor,
    ):
        app.command()(command)
    app.add_typer(keys.application(), name="keys")
    return app


def main() -> None:
    application()(prog_name="metercrop")
