"""Items: added page by page, handed out by chunks, listed, looked up and tried again."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from service.adapters.sql.jobs import PAGE_ITEMS, SqlJobLedger
from service.core.archive import MAX_LOCATION_BYTES, ArchivedObject, fit_for_a_list
from service.core.errors import RequestRejected
from service.core.job import CHUNK_ITEMS, Item, ItemState, JobCounts
from service.ports import JobLedger
from tests.jobs import (
    PLAN,
    ROOT,
    archive_of,
    archived,
    batch_record,
    counted,
    cropped,
    failed,
    job_over,
    new_job,
    skipped,
)
from tests.records import NOON


@pytest.fixture
def ledger(engine: Engine) -> JobLedger:
    """An empty one in each database in turn."""
    return SqlJobLedger(engine)


def test_items_are_numbered_without_a_gap_over_pages(ledger: JobLedger) -> None:
    job = new_job()
    ledger.create(job)
    for start in (0, 100, 200):
        page = archive_of(100, start=start)
        ledger.add_items(job.id, page, listed_after=page[-1].key)

    items = list(ledger.every_item(job.id))

    assert items == [Item(n, each) for n, each in enumerate(archive_of(300))]
    now = ledger.job(job.id)
    assert now is not None
    assert now.counts == JobCounts(total=300)
    assert now.listed_after == "2021/00000299.jpg"
    assert (now.found_objects, now.found_bytes) == (300, sum(1_000 + n for n in range(300)))
    assert ledger.open_chunks(job.id, limit=10) == (0, 1)
    assert [item.number for item in ledger.pending_items(job.id, chunk=1)] == list(range(256, 300))


def test_page_that_is_added_again_after_a_crash_changes_nothing(ledger: JobLedger) -> None:
    job, _ = job_over(ledger, archive_of(300))
    before = ledger.job(job.id)

    ledger.add_items(job.id, archive_of(300), listed_after="")

    assert ledger.job(job.id) == before


def test_object_is_in_a_job_once_and_each_of_its_versions_is(ledger: JobLedger) -> None:
    job = new_job()
    ledger.create(job)
    one, other = archived("a", version_id="1"), archived("a", version_id="2")
    elsewhere = archived("a", root="s3://elsewhere", version_id="1")

    ledger.add_items(job.id, [one, other, one], listed_after="3")
    ledger.add_items(job.id, [other, elsewhere, one], listed_after="6")

    items = list(ledger.every_item(job.id))
    assert [item.object for item in items] == [one, other, elsewhere]
    now = ledger.job(job.id)
    assert now is not None
    assert (now.counts, now.found_objects) == (JobCounts(total=3), 3)


def test_page_of_nothing_new_still_tells_how_far_the_list_is(ledger: JobLedger) -> None:
    job, _ = job_over(ledger, [archived("a")])

    ledger.add_items(job.id, [archived("a")], listed_after="a")
    ledger.add_items(job.id, [], listed_after="b")

    now = ledger.job(job.id)
    assert now is not None
    assert (now.listed_after, now.counts.total) == ("b", 1)


def test_object_without_etag_is_added_as_gone(ledger: JobLedger) -> None:
    job, items = job_over(ledger, [archived("there"), archived("missing", etag="", size=0)])

    (there, missing) = items
    assert there.state is ItemState.PENDING
    assert (missing.state, missing.code) == (ItemState.FAILED, "object.gone")
    assert missing.message is not None
    assert missing.finished_at is not None
    assert ledger.pending_items(job.id, chunk=0) == (there,)
    now = ledger.job(job.id)
    assert now is not None
    assert now.counts == JobCounts(total=2, failed=1)


def test_chunk_of_nothing_but_gone_objects_is_not_open(ledger: JobLedger) -> None:
    job, _ = job_over(ledger, [archived("missing", etag="")])

    assert ledger.open_chunks(job.id, limit=10) == ()


def test_page_is_in_wholly_or_not_at_all(ledger: JobLedger) -> None:
    job, _ = job_over(ledger, [])
    unkeepable = archived("half a surrogate pair \ud800")

    with pytest.raises(UnicodeEncodeError):
        ledger.add_items(job.id, [*archive_of(400), unkeepable], listed_after="z")

    assert ledger.job(job.id) == job
    assert list(ledger.every_item(job.id)) == []


ANY_KEY = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=250)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.sets(ANY_KEY, max_size=5), size=st.integers(0, 2**50), version_id=ANY_KEY)
def test_any_object_comes_back_as_it_was(
    ledger: JobLedger, keys: set[str], size: int, version_id: str
) -> None:
    found = [archived(key, size=size, version_id=version_id) for key in sorted(keys)]

    _, items = job_over(ledger, found)

    assert [item.object for item in items] == found


def test_longest_name_that_s3_knows_is_kept(ledger: JobLedger) -> None:
    longest = archived("木" * 341 + "/", root=f"s3://{'b' * 63}", version_id="v" * 1024)

    _, items = job_over(ledger, [longest])

    assert [item.object for item in items] == [longest]


def test_moment_may_be_unknown(ledger: JobLedger) -> None:
    undated = ArchivedObject("file:///archive", "a.jpg", 1, "e")

    _, items = job_over(ledger, [undated])

    assert [item.object for item in items] == [undated]


def test_chunks_close_as_their_items_end(ledger: JobLedger) -> None:
    job, items = job_over(ledger, archive_of(2 * CHUNK_ITEMS + 1))

    ledger.settle(job.id, [skipped(item) for item in items[:CHUNK_ITEMS]])
    ledger.settle(job.id, [failed(item) for item in items[-1:]])

    assert ledger.open_chunks(job.id, limit=10) == (1,)
    assert ledger.pending_items(job.id, chunk=0) == ()
    assert ledger.pending_items(job.id, chunk=1) == tuple(items[CHUNK_ITEMS:-1])


def test_items_are_paged_in_order_by_state(ledger: JobLedger) -> None:
    job, items = job_over(ledger, archive_of(20))
    ended = [settled.item for settled in ledger.settle(job.id, [failed(i) for i in items[::2]])]

    first = ledger.items(job.id, state=ItemState.FAILED, limit=6)
    second = ledger.items(job.id, state=ItemState.FAILED, limit=6, cursor=first.next_cursor)

    assert [*first.items, *second.items] == ended
    assert second.next_cursor is None
    assert ledger.items(job.id, state=None, limit=20).next_cursor is None
    assert len(ledger.items(job.id, state=None, limit=19).items) == 19
    assert ledger.items(job.id, state=ItemState.CROPPED, limit=5).items == ()


@pytest.mark.parametrize("cursor", ["", "?", "é", "AAAA", "LTE", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA"])
def test_unreadable_cursor_is_refused_by_name(ledger: JobLedger, cursor: str) -> None:
    job, _ = job_over(ledger, archive_of(1))

    with pytest.raises(RequestRejected, match="cursor") as refusal:
        ledger.items(job.id, state=None, limit=10, cursor=cursor)

    assert refusal.value.code == "field.invalid"


def test_every_item_is_streamed_past_a_page_while_items_end(ledger: JobLedger) -> None:
    job, items = job_over(ledger, archive_of(2 * PAGE_ITEMS + 1))
    streamed = ledger.every_item(job.id)

    seen = [next(streamed)]
    ledger.settle(job.id, [failed(item) for item in items[-300:]])
    seen += streamed

    assert [item.object for item in seen] == [item.object for item in items]
    assert counted(seen).failed == 300


def test_only_failed_items_are_tried_again(ledger: JobLedger) -> None:
    missing = archived("missing", etag="")
    job, items = job_over(ledger, [*archive_of(2 * CHUNK_ITEMS), missing])
    done = cropped(items[0], batch_record("done"))
    ledger.settle(job.id, [done, skipped(items[1]), *(failed(item) for item in items[200:300])])

    assert ledger.retry_failed(job.id) == 101

    now = ledger.job(job.id)
    assert now is not None
    assert now.counts == JobCounts(total=2 * CHUNK_ITEMS + 1, cropped=1, skipped=1)
    assert now.original_bytes == done.item.original_bytes
    pending = ledger.items(job.id, state=ItemState.PENDING, limit=1000).items
    assert pending == (*items[2:-1], Item(2 * CHUNK_ITEMS, missing))
    assert ledger.open_chunks(job.id, limit=10) == (0, 1, 2)
    assert ledger.retry_failed(job.id) == 0


def test_retry_leaves_other_jobs_alone(ledger: JobLedger) -> None:
    job, items = job_over(ledger, archive_of(1))
    other, _ = job_over(ledger, archive_of(1))
    ledger.settle(job.id, [failed(item) for item in items])

    assert ledger.retry_failed(other.id) == 0

    assert counted(ledger.every_item(job.id)) == JobCounts(total=1, failed=1)


def test_earlier_outcomes_are_found_by_number(ledger: JobLedger) -> None:
    first, items = job_over(ledger, archive_of(5))
    record = batch_record("done")
    ends = [
        cropped(items[0], record),
        failed(items[1], "photo.corrupt"),
        skipped(items[2], record),
    ]
    ended = [settled.item for settled in ledger.settle(first.id, ends)]
    again, asked = job_over(ledger, archive_of(5, start=1))

    assert ledger.earlier(asked, not_of=again.id) == {0: ended[1], 1: ended[2]}
    assert ledger.earlier(asked[1:], not_of=again.id) == {1: ended[2]}
    assert ledger.earlier([], not_of=again.id) == {}


def test_outcome_that_tells_nothing_is_no_earlier_one(ledger: JobLedger) -> None:
    first, items = job_over(ledger, archive_of(4))
    ledger.settle(first.id, [failed(items[0], "object.changed"), skipped(items[1])])
    dry, dried = job_over(ledger, archive_of(4), plan=replace(PLAN, dry_run=True))
    ledger.settle(dry.id, [replace(cropped(dried[2], batch_record("dry")), record=None)])

    again, asked = job_over(ledger, archive_of(4))

    assert ledger.earlier(asked, not_of=again.id) == {}


@pytest.mark.parametrize(
    "changed",
    [
        archived("a", etag="2", version_id="v"),
        archived("a", size=1, version_id="v"),
        archived("a", version_id="w"),
        archived("b", version_id="v"),
        archived("a", root="s3://elsewhere", version_id="v"),
    ],
    ids=["etag", "size", "version", "key", "root"],
)
def test_object_that_changed_has_no_earlier_outcome(
    ledger: JobLedger, changed: ArchivedObject
) -> None:
    first, items = job_over(ledger, [archived("a", version_id="v")])
    ledger.settle(first.id, [failed(item) for item in items])

    again, asked = job_over(ledger, [changed])

    assert ledger.earlier(asked, not_of=again.id) == {}


def test_of_many_earlier_outcomes_the_newest_job_s_counts(ledger: JobLedger) -> None:
    record = batch_record("done")
    for end in (failed, failed, skipped):
        job, (item,) = job_over(ledger, [archived("a")])
        (settled,) = ledger.settle(job.id, [end(item, record) if end is skipped else end(item)])
    later, _ = job_over(ledger, [archived("a")])  # has no outcome yet
    again, asked = job_over(ledger, [archived("a")])

    assert ledger.earlier(asked, not_of=again.id) == {0: settled.item}
    assert later.id != again.id


def test_what_a_skipped_item_knows_nothing_of_an_older_one_tells(ledger: JobLedger) -> None:
    first, items = job_over(ledger, [archived("a")])
    (refused,) = ledger.settle(first.id, [failed(items[0], "photo.corrupt")])
    second, items = job_over(ledger, [archived("a")])
    ledger.settle(second.id, [skipped(items[0])])
    third, asked = job_over(ledger, [archived("a")])

    assert ledger.earlier(asked, not_of=third.id) == {0: refused.item}
    assert refused.item.finished_at == NOON


def test_longest_addresses_that_a_list_is_to_hold_are_held(ledger: JobLedger) -> None:
    """Hexadecimal hashes, which PostgreSQL can hardly pack."""
    text = "".join(hashlib.sha256(b"%d" % n).hexdigest() for n in range(MAX_LOCATION_BYTES // 64))
    longest = archived(text[: MAX_LOCATION_BYTES - len(f"{ROOT}/\n")])
    longer = archived("".join(chr(0x1F300 + n % 700) for n in range(4_000)), root=f"file:///{text}")
    found = [fit_for_a_list(longest), fit_for_a_list(longer)]
    job = new_job()
    ledger.create(job)

    ledger.add_items(job.id, found, listed_after="")

    assert [item.object for item in ledger.every_item(job.id)] == found
    assert found[0] is longest
