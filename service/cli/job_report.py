"""What commands show of batch jobs: a bar while one goes on, tables of how it is and ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from threading import Event
from types import TracebackType
from typing import Self
from uuid import UUID

import typer
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from service.core.errors import Unavailable
from service.core.figures import duration, money, printable, share, size
from service.core.job import FOR_WORKERS, Forecast, Job, JobState
from service.ports import JobLedger
from service.usecases.jobs import job_of

LOOK_S = 0.5
RATE_OVER_S = 60.0
"""Rate and time left are told from so much of the past."""


def watched(
    ledger: JobLedger,
    job_id: UUID,
    *,
    is_over: Callable[[Job], bool],
    pause: Callable[[float], object],
) -> Job:
    """The job once it is over, with a bar until then; a database that is away is waited for."""
    job = job_of(ledger, job_id)
    with JobProgress() as progress:
        progress.tell(job)
        while not is_over(job):
            pause(LOOK_S)
            try:
                job = job_of(ledger, job_id)
            except Unavailable:
                continue
            progress.tell(job)
    return job


def followed(ledger: JobLedger, job_id: UUID, *, stop: Event) -> Job:
    """As others work on it: until no worker has anything to do for it, or `stop` is set."""
    return watched(
        ledger,
        job_id,
        is_over=lambda job: stop.is_set() or job.state not in FOR_WORKERS,
        pause=stop.wait,
    )


def show(job: Job, *, as_json: bool) -> None:
    """On stdout, with the forecast of a dry run."""
    if as_json:
        typer.echo(json.dumps(account_of(job)))
        return
    console = Console(highlight=False)
    console.print(job_table(job))
    if job.forecast is not None:
        console.print("\n[bold]forecast[/]")
        console.print(forecast_table(job.forecast))


def account_of(job: Job) -> object:
    """What the API answers of it, fit for JSON."""
    from service.api.job_schemas import JobAnswer  # noqa: PLC0415  heavy; --help does without

    return JobAnswer.of(job, at=datetime.now(UTC)).model_dump(mode="json")


class JobProgress:
    """Drawn on a terminal only, on stderr."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self._bar = _Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            redirect_stdout=False,
            speed_estimate_period=RATE_OVER_S,
        )
        self._task = self._bar.add_task("", total=None)
        self._listing: bool | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def tell(self, job: Job) -> None:
        """While its list is made, what was found so far counts, at a rate of its own."""
        listing, counts = job.state is JobState.PREPARING, job.counts
        self._bar.below = Text("" if listing else _outcomes(job))
        tell = self._bar.update if listing is self._listing else self._bar.reset
        self._listing = listing
        tell(
            self._task,
            description="listing" if listing else _words(job.state),
            total=None if listing else counts.total,
            completed=counts.total if listing else counts.finished,
        )


class _Bar(Progress):
    """A bar with a line below it."""

    below = Text()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield self.below


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.1f}/s")


def job_table(job: Job) -> Table:
    """How far it is, and what it has saved."""
    table = _pairs()
    for name, value, remark in _rows(job):
        table.add_row(name, value, Text(printable(remark), overflow="fold"))
    return table


def forecast_table(forecast: Forecast) -> Table:
    """What a dry run expects of the whole source."""
    table = _pairs()
    low, high = share(forecast.saved_fraction_low), share(forecast.saved_fraction_high)
    table.add_row("objects", f"{forecast.objects:,}", size(forecast.original_bytes))
    table.add_row("sampled", f"{forecast.sampled:,}", "at random")
    table.add_row("saved", share(forecast.saved_fraction), f"{low} to {high}, 19 times of 20")
    table.add_row("kept as they came", share(forecast.kept_fraction))
    table.add_row("failed", share(forecast.failed_fraction))
    table.add_row("money per month", money(forecast.money_per_month))
    table.add_row("takes", duration(forecast.duration_s), "on one worker such as this one")
    table.add_row("transferred", size(forecast.transferred_bytes))
    return table


def jobs_table(jobs: Iterable[Job]) -> Table:
    """One a line, in the order given."""
    table = Table(box=None, pad_edge=False)
    table.add_column("id", min_width=36)  # to be copied whole, however narrow the terminal
    table.add_column("state")
    table.add_column("done", justify="right")
    table.add_column("failed", justify="right")
    table.add_column("created", no_wrap=True)
    for job in jobs:
        counts = job.counts
        done = share(counts.finished / counts.total) if counts.total else "-"
        created = f"{job.created_at:%Y-%m-%d}"
        table.add_row(str(job.id), _words(job.state), done, f"{counts.failed:,}", created)
    return table


def _rows(job: Job) -> Iterator[tuple[str, str, str]]:
    counts, plan = job.counts, job.plan
    yield "job", _words(job.state), str(job.id)
    if job.error is not None:
        yield "", "", job.error
    task = f"{plan.mode}, dry run" if plan.dry_run else plan.mode
    yield "of", task, plan.source or plan.manifest or ""
    if job.found_objects > counts.total:
        yield "found", f"{job.found_objects:,}", size(job.found_bytes)
    yield "objects", f"{counts.total:,}", f"{counts.pending:,} to be done" if counts.pending else ""
    yield "cropped", f"{counts.cropped:,}", ""
    yield "kept as they came", f"{counts.kept_original:,}", ""
    yield "skipped", f"{counts.skipped:,}", ""
    yield "failed", f"{counts.failed:,}", _advice(job)
    saved = job.original_bytes - job.stored_bytes
    yield "before", size(job.original_bytes), ""
    yield "after", size(job.stored_bytes), ""
    yield "saved", size(saved), share(saved / max(job.original_bytes, 1))
    yield "freed", size(job.freed_bytes), ""
    if job.started_at is not None and job.finished_at is not None:
        yield "took", duration((job.finished_at - job.started_at).total_seconds()), ""


def _advice(job: Job) -> str:
    return f"metercrop jobs {job.id} --report FILE says why" if job.counts.failed else ""


def _outcomes(job: Job) -> str:
    counts = job.counts
    return (
        f"cropped {counts.cropped:,}  kept {counts.kept_original:,}  skipped {counts.skipped:,}  "
        f"failed {counts.failed:,}  saved {size(job.original_bytes - job.stored_bytes)}"
    )


def _pairs() -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _words(state: JobState) -> str:
    return state.replace("_", " ")
