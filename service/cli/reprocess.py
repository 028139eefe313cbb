"""`metercrop reprocess`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated
from uuid import UUID

import typer

from service.cli.files import write_whole
from service.cli.flags import ALL, Flags, takes_settings
from service.cli.job_report import followed, show, watched
from service.cli.logs import configure_logging
from service.cli.options import AsJson
from service.cli.signals import INTERRUPTED, stopped_by_signals
from service.core.errors import Misconfigured, RequestRejected
from service.core.figures import printable
from service.core.job import Job, JobState, Mode
from service.ports import JobLedger
from service.settings import Settings, read_settings
from service.usecases.jobs import (
    JobRequest,
    contact_sheet_of,
    job_of,
    live_workers,
    new_job,
)

ALONE = "worker.alone"
"""How a worker says that another one has the embedded database to itself."""
FLAGS = tuple(name for name in ALL if name not in ("auth", "keep_originals_days"))


@takes_settings(*FLAGS)
def reprocess(  # noqa: PLR0913  an argument an option
    source: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="s3://bucket/prefix or a folder of photos."),
    ] = None,
    *,
    manifest: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A list of objects instead, on disk or at s3://..."),
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(metavar="", help="copy, or replace: the source is due for deletion then."),
    ] = Mode.COPY,
    destination: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where crops go: s3://bucket/prefix or a folder."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Write nothing, forecast the savings.")
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(metavar="N", help="So many objects at random; a dry run takes 400."),
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", metavar="", help="Wait for a yes once all is listed.")
    ] = False,
    max_failed_fraction: Annotated[
        float, typer.Option(metavar="SHARE", help="Stop once a larger share has failed.")
    ] = 0.1,
    priority: Annotated[int, typer.Option(metavar="N", help="Jobs of a higher one go first.")] = 0,
    max_per_second: Annotated[
        float | None, typer.Option(metavar="N", help="Objects a second, over all workers.")
    ] = None,
    keep_originals_days: Annotated[
        int | None,
        typer.Option(metavar="N", help="How long a replaced source stays; 30 unless set."),
    ] = None,
    wait_: Annotated[
        bool, typer.Option("--wait", metavar="", help="Run it here, and wait for its end.")
    ] = False,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --dry-run --wait: write the photos, as HTML."),
    ] = None,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Creates a batch job over an archive; --wait runs it in this process.

    Example: `metercrop reprocess s3://archive/2019/ --dry-run --wait`
    """
    if contact_sheet is not None and not (dry_run and wait_):
        raise typer.BadParameter("--contact-sheet needs --dry-run and --wait")
    asked = JobRequest(
        source=None if source is None else _address(source, exists=Path.is_dir),
        manifest=None if manifest is None else _address(manifest, exists=Path.is_file),
        mode=mode,
        destination=None if destination is None else _address(destination),
        dry_run=dry_run,
        sample=sample,
        confirm=confirm,
        max_failed_fraction=max_failed_fraction,
        priority=priority,
        max_per_second=max_per_second,
        keep_originals_days=keep_originals_days,
    )
    settings = read_settings(flags)
    if wait_:
        _run(settings, asked, contact_sheet, as_json=as_json)
    else:
        _leave_to_workers(settings, asked, as_json=as_json)


def _leave_to_workers(settings: Settings, asked: JobRequest, *, as_json: bool) -> None:
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    with bootstrap.opened_job_ledger(settings) as ledger:
        job = _created(ledger, settings, asked)
        workers = live_workers(ledger, at=datetime.now(UTC))
    if as_json:
        show(job, as_json=True)
    else:
        typer.echo(f"job {job.id} is created; `metercrop jobs {job.id}` shows how far it is")
    if not workers:
        typer.echo("metercrop: no worker is running; `metercrop worker` starts one", err=True)


def _run(
    settings: Settings, asked: JobRequest, contact_sheet: Path | None, *, as_json: bool
) -> None:
    """In this process; what it leaves undone when it is stopped, any worker goes on with."""
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    configure_logging()
    with stopped_by_signals() as stop:
        machine = bootstrap.assembled(settings, threads=1)
        if stop.is_set():
            _say("stopped before a job was created")
            raise typer.Exit(INTERRUPTED)
        ledger, worker = machine.keeping.jobs, bootstrap.worker_of(settings, machine, stop=stop)
        job_id = _created(ledger, settings, asked).id
        job = _worked(ledger, job_id, lambda: worker.run_job(job_id), stop)
        show(job, as_json=as_json)
        if contact_sheet is not None and job.state is JobState.COMPLETE:
            write_whole(contact_sheet, [contact_sheet_of(ledger, job_id).encode()])
    _end(job)


def _created(ledger: JobLedger, settings: Settings, asked: JobRequest) -> Job:
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    rules = bootstrap.job_rules_of(settings)
    try:
        job = new_job(asked, rules, at=datetime.now(UTC))
    except RequestRejected as error:
        raise typer.BadParameter(str(error)) from error
    ledger.create(job)
    return job


def _worked(ledger: JobLedger, job_id: UUID, work: Callable[[], None], stop: Event) -> Job:
    """As `_watched`, or followed where another worker leaves no room for one here."""
    try:
        return _watched(ledger, job_id, work, stop)
    except Misconfigured as error:
        if error.code != ALONE:
            raise
    _say("a worker is running already, and takes the job")
    return followed(ledger, job_id, stop=stop)


def _watched(ledger: JobLedger, job_id: UUID, work: Callable[[], None], stop: Event) -> Job:
    """The job as it is once `work` has returned; sets `stop` where watching it fails."""
    with ThreadPoolExecutor(1, "job") as pool:
        working = pool.submit(work)
        try:
            watched(
                ledger,
                job_id,
                is_over=lambda _: working.done(),
                pause=lambda seconds: wait([working], timeout=seconds),
            )
        except BaseException:
            stop.set()
            raise
    working.result()
    return job_of(ledger, job_id)


def _end(job: Job) -> None:
    """Says what is left to do, and ends with the exit code that tells of it."""
    match job.state:
        case JobState.COMPLETE:
            return
        case JobState.AWAITING_CONFIRMATION:
            _say(f"its list is made; `metercrop jobs {job.id} --confirm` lets workers run it")
            return
        case JobState.FAILED | JobState.CANCELLED:
            _say(f"job {job.id} {job.state}: {job.error or 'somebody asked for that'}")
        case JobState.PAUSED:
            _say(f"job {job.id} was paused; `metercrop jobs {job.id} --resume` goes on with it")
        case _:
            _say(f"stopped, and nothing is lost; `metercrop worker` goes on with job {job.id}")
            raise typer.Exit(INTERRUPTED)
    raise typer.Exit(1)


def _say(line: str) -> None:
    typer.echo(f"metercrop: {printable(line)}", err=True)


def _address(place: str, *, exists: Callable[[Path], bool] | None = None) -> str:
    """An address stays as it is, a path of this machine becomes one."""
    if "://" in place:
        return place
    path = Path(place).expanduser().resolve()
    if exists is not None and not exists(path):
        raise typer.BadParameter(f"there is no such place: {place}")
    return f"file://{path}"
