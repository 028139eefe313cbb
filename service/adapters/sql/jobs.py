"""The ledger of jobs on a database. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, delete, select, update

from service.adapters.sql.cursor import cursor_at, cursor_at_number, number_of
from service.adapters.sql.job_items import add_items, retry_failed
from service.adapters.sql.job_mapping import (
    item_of,
    job_columns,
    worker_columns,
    worker_of,
)
from service.adapters.sql.job_queries import (
    Rows,
    after_number,
    chunks_with_pending,
    earlier_outcomes,
    in_chunk,
    in_state,
    items_where,
    jobs_in_states,
    jobs_of,
    moved,
    newest_jobs,
    one_job,
)
from service.adapters.sql.queries import insert_if_new
from service.adapters.sql.rollup import Rollup
from service.adapters.sql.settling import settle
from service.adapters.sql.tables import JobPictureRow, JobRow, WorkerRow
from service.adapters.sql.transactions import Transactions
from service.adapters.sql.upserts import insert_or_replace, rows_changed
from service.core.archive import ArchivedObject
from service.core.job import (
    Forecast,
    Item,
    ItemState,
    Job,
    JobState,
    Outcome,
    SamplePicture,
    Worker,
)
from service.ports import ItemPage, JobPage, Settled

PAGE_ITEMS = 1000
"""So many are in memory while all items of a job are read."""


class SqlJobLedger:
    """A `JobLedger` over an engine of `engine_for`, whose tables `migrate` has made.

    Of two transactions that touch the same rows one waits for the other, never both, as all lock
    in the same order: the job, its chunks by number, photos by the hash of their bytes. Who ends
    an item or makes it pending again holds its chunk.
    """

    def __init__(self, engine: Engine) -> None:
        self._transactions = Transactions(engine)
        self._rollup = Rollup(engine)

    def create(self, job: Job) -> None:
        with self._transactions.writing() as session:
            session.execute(insert_if_new(session, JobRow), job_columns(job))

    def job(self, job_id: UUID) -> Job | None:
        return next(iter(self._jobs(one_job(), {"this_job": job_id})), None)

    def jobs(self, *, limit: int, cursor: str | None = None) -> JobPage:
        # One more tells of a next page.
        found = self._jobs(newest_jobs(limit=limit + 1, cursor=cursor))
        jobs = found[:limit]
        more = len(found) > limit
        return JobPage(jobs, cursor_at(jobs[-1].created_at, jobs[-1].id) if more else None)

    def jobs_in(self, states: Collection[JobState]) -> tuple[Job, ...]:
        return self._jobs(jobs_in_states(), {"states": [state.value for state in states]})

    def move(
        self,
        job_id: UUID,
        *,
        to: JobState,
        only_from: Collection[JobState],
        at: datetime,
        error: str | None = None,
    ) -> bool:
        change = moved(job_id, to=to, only_from=only_from, at=at, error=error)
        with self._transactions.writing() as session:
            return rows_changed(session, change) == 1

    def add_items(
        self, job_id: UUID, found: Sequence[ArchivedObject], *, listed_after: str
    ) -> None:
        with self._transactions.writing() as session:
            add_items(session, job_id, found, listed_after=listed_after)

    def set_found(self, job_id: UUID, *, objects: int, original_bytes: int) -> None:
        found = {"found_objects": objects, "found_bytes": original_bytes}
        with self._transactions.writing() as session:
            session.execute(update(JobRow).where(JobRow.id == job_id).values(found))

    def open_chunks(self, job_id: UUID, *, limit: int) -> tuple[int, ...]:
        with self._transactions.reading() as session:
            asked = {"this_job": job_id, "most": limit}
            return tuple(session.scalars(chunks_with_pending(), asked))

    def pending_items(self, job_id: UUID, *, chunk: int) -> tuple[Item, ...]:
        return self._items(items_where(job_id, in_chunk(chunk), in_state(ItemState.PENDING)))

    def earlier(self, items: Sequence[Item], *, not_of: UUID) -> dict[int, Item]:
        with self._transactions.reading() as session:
            rows = session.execute(earlier_outcomes(items, not_of=not_of))
            return {row.asked: item_of(row) for row in rows}

    def settle(self, job_id: UUID, outcomes: Sequence[Outcome]) -> tuple[Settled, ...]:
        with self._transactions.writing() as session:
            settled = settle(session, job_id, outcomes)
        self._rollup.tend(len(outcomes))
        return settled

    def retry_failed(self, job_id: UUID) -> int:
        with self._transactions.writing() as session:
            return retry_failed(session, job_id)

    def items(
        self, job_id: UUID, *, state: ItemState | None, limit: int, cursor: str | None = None
    ) -> ItemPage:
        query = items_where(job_id)
        if state is not None:
            query = query.where(in_state(state))
        if cursor is not None:
            query = query.where(after_number(number_of(cursor)))
        found = self._items(query.limit(limit + 1))
        items = found[:limit]
        return ItemPage(items, cursor_at_number(items[-1].number) if len(found) > limit else None)

    def every_item(self, job_id: UUID) -> Iterator[Item]:
        page = self._items(items_where(job_id).limit(PAGE_ITEMS))
        while page:
            yield from page
            following = items_where(job_id, after_number(page[-1].number))
            page = self._items(following.limit(PAGE_ITEMS))

    def keep_forecast(self, job_id: UUID, forecast: Forecast) -> None:
        with self._transactions.writing() as session:
            kept = {"forecast": asdict(forecast)}
            session.execute(update(JobRow).where(JobRow.id == job_id).values(kept))

    def keep_pictures(self, job_id: UUID, pictures: Sequence[SamplePicture]) -> None:
        rows = [{"job_id": job_id, **asdict(picture)} for picture in pictures]
        with self._transactions.writing() as session:
            if rows and session.get(JobRow, job_id) is not None:
                session.execute(insert_if_new(session, JobPictureRow), rows)

    def sample_pictures(self, job_id: UUID) -> tuple[SamplePicture, ...]:
        of_job = select(JobPictureRow).where(JobPictureRow.job_id == job_id)
        with self._transactions.reading() as session:
            rows = session.scalars(of_job.order_by(JobPictureRow.number))
            return tuple(SamplePicture(row.number, row.jpeg) for row in rows)

    def beat(self, worker: Worker) -> None:
        with self._transactions.writing() as session:
            beat = insert_or_replace(session, WorkerRow, key=("id",))
            session.execute(beat, worker_columns(worker))

    def workers(self) -> tuple[Worker, ...]:
        oldest_first = select(WorkerRow).order_by(WorkerRow.started_at, WorkerRow.id)
        with self._transactions.reading() as session:
            return tuple(worker_of(row) for row in session.scalars(oldest_first))

    def forget_worker(self, worker_id: str) -> bool:
        with self._transactions.writing() as session:
            return rows_changed(session, delete(WorkerRow).where(WorkerRow.id == worker_id)) == 1

    def _jobs(self, query: Rows, asked: Mapping[str, object] | None = None) -> tuple[Job, ...]:
        with self._transactions.reading() as session:
            return tuple(jobs_of(session.execute(query, asked)))

    def _items(self, query: Rows) -> tuple[Item, ...]:
        with self._transactions.reading() as session:
            return tuple(map(item_of, session.execute(query)))
