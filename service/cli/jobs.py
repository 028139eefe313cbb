"""`metercrop jobs`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from service.cli.files import write_whole
from service.cli.flags import DATABASE, Flags, takes_settings
from service.cli.job_report import account_of, followed, jobs_table, show
from service.cli.options import AsJson
from service.cli.signals import INTERRUPTED, stopped_by_signals
from service.core.job import Job, Step
from service.ports import JobLedger
from service.settings import read_settings
from service.usecases.jobs import contact_sheet_of, job_of, steered

PAGE = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked about one job."""

    step: Step | None = None
    follow: bool = False
    report: Path | None = None
    contact_sheet: Path | None = None


@takes_settings(*DATABASE)
def jobs(  # noqa: PLR0913  an argument an option
    job_id: Annotated[
        UUID | None, typer.Argument(metavar="ID", help="As the list shows it; none lists all.")
    ] = None,
    *,
    confirm: Annotated[
        bool, typer.Option("--confirm", metavar="", help="Its list is right: it may run.")
    ] = False,
    pause: Annotated[
        bool, typer.Option("--pause", metavar="", help="Finish what is in hand, begin no more.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on where it was paused.")
    ] = False,
    cancel: Annotated[
        bool, typer.Option("--cancel", metavar="", help="End it; what is done stays done.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", metavar="", help="Try the failed objects again.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", metavar="", help="Show how it goes on until it rests.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what became of each object, as CSV."),
    ] = None,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the photos and crops of a dry run, as HTML."),
    ] = None,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Lists batch jobs, or shows and steers one.

    Example: `metercrop jobs 0199e3c4-7d1a-7c52-b8a4-4c8d2f6e9a10 --pause`
    """
    step = _one_of(
        {
            Step.CONFIRM: confirm,
            Step.PAUSE: pause,
            Step.RESUME: resume,
            Step.CANCEL: cancel,
            Step.RETRY_FAILED: retry_failed,
        }
    )
    wanted = Wanted(step, follow, report, contact_sheet)
    if job_id is None and wanted != Wanted():
        raise typer.BadParameter("which job? name its ID; `metercrop jobs` lists all")
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    with bootstrap.opened_job_ledger(read_settings(flags)) as ledger:
        if job_id is None:
            _list(ledger, as_json=as_json)
        else:
            show(_done(ledger, job_id, wanted), as_json=as_json)


def _one_of(asked: Mapping[Step, bool]) -> Step | None:
    steps = [step for step, is_asked in asked.items() if is_asked]
    if len(steps) > 1:
        raise typer.BadParameter(f"one step at a time: --{' or --'.join(steps)}")
    return steps[0] if steps else None


def _done(ledger: JobLedger, job_id: UUID, wanted: Wanted) -> Job:
    """The job, after all that is wanted of it."""
    from service.api.job_report import csv_chunks  # noqa: PLC0415  heavy; --help does without

    job = job_of(ledger, job_id)
    if wanted.step is not None:
        job = steered(ledger, job_id, step=wanted.step, at=datetime.now(UTC))
    if wanted.follow:
        job = _followed(ledger, job_id)
    if wanted.report is not None:
        write_whole(wanted.report, csv_chunks(ledger.every_item(job_id)))
    if wanted.contact_sheet is not None:
        write_whole(wanted.contact_sheet, [contact_sheet_of(ledger, job_id).encode()])
    return job


def _followed(ledger: JobLedger, job_id: UUID) -> Job:
    with stopped_by_signals() as stop:
        job = followed(ledger, job_id, stop=stop)
    if stop.is_set():
        typer.echo(f"metercrop: job {job_id} goes on without being followed", err=True)
        raise typer.Exit(INTERRUPTED)
    return job


def _list(ledger: JobLedger, *, as_json: bool) -> None:
    found = list(_all(ledger))
    if as_json:
        typer.echo(json.dumps([account_of(job) for job in found], indent=2))
    else:
        Console(highlight=False).print(jobs_table(found))


def _all(ledger: JobLedger) -> Iterator[Job]:
    page = ledger.jobs(limit=PAGE)
    yield from page.jobs
    while page.next_cursor is not None:
        page = ledger.jobs(limit=PAGE, cursor=page.next_cursor)
        yield from page.jobs
