"""Outcomes over photos that were recorded before: what supersedes them, and what comes too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from service.adapters.sql.freed import count_freed
from service.adapters.sql.transactions import Transactions
from service.core.crop import Reason
from service.core.record import PhotoFilter, Record, Retention, Status
from service.ports import JobLedger, Ledger
from tests.jobs import archive_of, batch_record, cropped, current, events_of, job_over, skipped
from tests.records import NOON, context_picture, cropped_record


def successor(before: Record, *, stored_key: str = "s3://crops/2.jpg") -> Record:
    """The same photo's account by another model."""
    record = batch_record("same", stored_key=stored_key, fingerprint="model 2")
    original, received_at = before.original, before.received_at
    return replace(record, id=before.id, original=original, received_at=received_at)


def test_context_picture_of_another_model_takes_the_place_of_the_earlier(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = replace(batch_record("same"), context=context_picture("1"))
    photos.record(before)
    after = replace(successor(before), context=context_picture("2", 7_000))
    job, items = job_over(jobs, archive_of(1))
    outcome = cropped(items[0], after, supersedes=True)

    (settled,) = jobs.settle(job.id, [outcome])

    assert photos.by_id(before.id) == after
    assert (settled.item.stored_bytes, settled.item.context_bytes) == (after.kept_bytes, 7_000)
    assert list(jobs.every_item(job.id)) == [settled.item]
    assert current(jobs, job).stored_bytes == after.kept_bytes


def test_another_model_s_record_takes_the_place_of_the_earlier(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = batch_record("same")
    photos.record(before)
    after = successor(before)
    job, items = job_over(jobs, archive_of(1))

    (settled,) = jobs.settle(job.id, [cropped(items[0], after, supersedes=True)])

    assert photos.page(PhotoFilter(), limit=10).items == (after,)
    assert events_of(photos, before.id) == ["recorded", "superseded"]
    assert settled.item.photo_id == before.id
    assert not settled.needless


def test_of_two_that_supersede_the_same_record_the_second_comes_too_late(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = batch_record("same")
    photos.record(before)
    job, items = job_over(jobs, archive_of(2))
    one, two = successor(before, stored_key="1"), successor(before, stored_key="2")

    jobs.settle(job.id, [cropped(items[0], one, supersedes=True)])
    (late,) = jobs.settle(job.id, [cropped(items[1], two, supersedes=True)])

    assert photos.by_id(before.id) == one
    assert (late.item.code, late.item.stored_key) == ("already_stored", "1")
    assert late.needless
    assert events_of(photos, before.id) == ["recorded", "superseded"]


def test_record_that_somebody_restored_meanwhile_stays(jobs: JobLedger, photos: Ledger) -> None:
    before = batch_record("same")
    photos.record(before)
    restored = replace(before, status=Status.KEPT_ORIGINAL, reason=Reason.RESTORED, crop=None)
    photos.change(before, restored)
    job, items = job_over(jobs, archive_of(1))

    (late,) = jobs.settle(job.id, [cropped(items[0], successor(before), supersedes=True)])

    assert photos.by_id(before.id) == restored
    assert late.item.code == "already_stored"


def in_grace(photo: str) -> Record:
    record = batch_record(photo)
    original = replace(
        record.original,
        retained_key="s3://archive/same.jpg",
        retained_until=NOON,
        retention=Retention.GRACE,
    )
    return replace(record, original=original)


@pytest.mark.parametrize("purged", [False, True], ids=["about to be", "already"])
def test_original_that_is_purged_meanwhile_is_not_made_the_stored_object(
    jobs: JobLedger, photos: Ledger, *, purged: bool
) -> None:
    before = in_grace("same")
    photos.record(before)
    original = replace(before.original, retained_until=None)
    if purged:
        original = replace(original, retained_key=None, retention=None)
    meanwhile = replace(before, original=original)
    photos.change(before, meanwhile)
    after = replace(
        successor(before, stored_key="s3://archive/same.jpg"),
        status=Status.KEPT_ORIGINAL,
        reason=Reason.NO_REGION,
        crop=None,
    )
    job, items = job_over(jobs, archive_of(1))

    (late,) = jobs.settle(job.id, [cropped(items[0], after, supersedes=True)])

    assert photos.by_id(before.id) == meanwhile
    assert late.needless


def test_what_should_supersede_a_record_that_was_deleted_becomes_a_photo_of_its_own(
    jobs: JobLedger, photos: Ledger
) -> None:
    before = batch_record("same")
    photos.record(before)
    photos.delete(before.id, at=NOON)
    job, items = job_over(jobs, archive_of(1))

    (settled,) = jobs.settle(job.id, [cropped(items[0], successor(before), supersedes=True)])

    (record,) = photos.page(PhotoFilter(), limit=10).items
    assert record == replace(successor(before), id=record.id)
    assert (settled.item.photo_id, settled.needless) == (record.id, False)
    assert events_of(photos, record.id) == ["recorded"]
    assert events_of(photos, before.id) == ["recorded", "deleted"]


def test_superseding_what_was_deleted_and_recorded_anew_meets_the_new_record(
    jobs: JobLedger, photos: Ledger
) -> None:
    before, anew = batch_record("same"), cropped_record("same")
    photos.record(before)
    photos.delete(before.id, at=NOON)
    photos.record(anew)
    job, items = job_over(jobs, archive_of(1))

    (settled,) = jobs.settle(job.id, [cropped(items[0], successor(before), supersedes=True)])

    assert photos.page(PhotoFilter(), limit=10).items == (anew,)
    assert settled.item.photo_id == anew.id


def freed(engine: Engine, photo_id: UUID, freed_bytes: int) -> None:
    with Transactions(engine).writing() as session:
        count_freed(session, photo_id, freed_bytes)


def test_what_the_purge_frees_is_counted_once(engine: Engine, jobs: JobLedger) -> None:
    job, items = job_over(jobs, archive_of(300))
    record = batch_record("a")
    jobs.settle(job.id, [cropped(items[299], record), skipped(items[0], record)])

    freed(engine, record.id, 5_000_000_000)
    freed(engine, record.id, 5_000_000_000)
    freed(engine, uuid4(), 7)

    assert current(jobs, job).freed_bytes == 5_000_000_000
    by_number = {item.number: item.freed_bytes for item in jobs.every_item(job.id)}
    assert {number: bytes_ for number, bytes_ in by_number.items() if bytes_} == {
        299: 5_000_000_000
    }


def test_what_the_purge_frees_is_counted_for_the_last_job_that_made_the_record(
    engine: Engine, jobs: JobLedger
) -> None:
    before = batch_record("same")
    first, items = job_over(jobs, archive_of(1))
    jobs.settle(first.id, [cropped(items[0], before)])
    second, items = job_over(jobs, archive_of(1))
    outcome = cropped(items[0], successor(before), supersedes=True)
    later = replace(outcome.item, finished_at=NOON + timedelta(days=1))
    jobs.settle(second.id, [replace(outcome, item=later)])

    freed(engine, before.id, 1_000)
    freed(engine, before.id, 1_000)

    assert (current(jobs, first).freed_bytes, current(jobs, second).freed_bytes) == (0, 1_000)
