"""`metercrop worker`."""

from __future__ import annotations

import structlog
import typer

from service.cli.flags import ALL, Flags, takes_settings
from service.cli.logs import configure_logging
from service.cli.signals import stopped_by_signals
from service.settings import masked, read_settings

FLAGS = tuple(name for name in ALL if name != "auth")


@takes_settings(*FLAGS)
def worker(*, flags: Flags) -> None:
    """Runs batch jobs and retention until stopped.

    Any number of them share the jobs of one PostgreSQL database, on any number of machines, one
    process a GPU. When one is stopped, or its machine dies, the others go on with what it had in
    hand.

    Example: `metercrop worker --device cuda`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    settings = read_settings(flags)
    configure_logging()
    log = structlog.get_logger()
    with stopped_by_signals() as stop:
        machine = bootstrap.assembled(settings, threads=1)
        model = machine.segmenter.description
        works = bootstrap.worker_of(settings, machine, stop=stop)
        log.info("worker.started", model=model.name, provider=model.provider)
        typer.echo(
            f"metercrop works on the jobs of {masked(settings.database)} with {model.name} "
            f"{model.version} on {model.provider}; Ctrl-C stops it"
        )
        works.run()
    log.info("worker.stopped")
