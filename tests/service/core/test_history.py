"""Histories whose entries can't be changed unnoticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.history import (
    BEFORE_THE_FIRST,
    Details,
    Event,
    HistoryEntry,
    Told,
    account_of,
    deleted,
    is_unbroken,
    next_entry,
    recorded,
)
from service.core.record import Record
from tests.records import NOON, cropped_record, kept_record

PHOTO_ID = UUID("01900000-0000-7000-8000-000000000000")
TEXT = st.text(st.characters(codec="utf-8"))


def entry(last: HistoryEntry | None = None, **details: str) -> HistoryEntry:
    return next_entry(last, PHOTO_ID, Told(Event.RETAINED, details, NOON))


def three_entries() -> list[HistoryEntry]:
    first = entry(why="first")
    second = entry(first, why="second")
    return [first, second, entry(second, why="third")]


def test_first_entry_follows_nothing_and_each_other_the_one_before() -> None:
    first, second, third = three_entries()

    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    assert first.previous_sha256 == BEFORE_THE_FIRST
    assert second.previous_sha256 == first.sha256
    assert third.previous_sha256 == second.sha256


def test_history_as_it_was_written_is_unbroken() -> None:
    assert is_unbroken(three_entries())
    assert is_unbroken([])


@pytest.mark.parametrize(
    "changed",
    [
        lambda e: replace(e, at=e.at + timedelta(microseconds=1)),
        lambda e: replace(e, event="purged"),
        lambda e: replace(e, event='retained","number":2,"x":"'),
        lambda e: replace(e, details='{"why": "second"}'),
        lambda e: replace(e, details="nonsense"),
        lambda e: replace(e, number=3),
        lambda e: replace(e, photo_id=UUID(int=7)),
        lambda e: replace(e, previous_sha256=BEFORE_THE_FIRST),
        lambda e: replace(e, sha256="0" * 64),
    ],
)
def test_changed_entry_breaks_the_history(
    changed: Callable[[HistoryEntry], HistoryEntry],
) -> None:
    first, second, third = three_entries()

    assert not is_unbroken([first, changed(second), third])
    assert not is_unbroken([first, changed(second)])


def test_entry_that_is_missing_or_in_another_place_breaks_the_history() -> None:
    first, second, third = three_entries()

    assert not is_unbroken([second, third])
    assert not is_unbroken([first, third])
    assert not is_unbroken([first, third, second])


def test_entry_that_was_written_anew_with_its_hash_no_longer_fits_the_next() -> None:
    first, _, third = three_entries()

    assert not is_unbroken([first, entry(first, why="never happened"), third])


@given(
    details=st.dictionaries(TEXT, TEXT | st.integers() | st.dictionaries(TEXT, TEXT), max_size=4)
)
def test_hash_is_that_of_the_canonical_json_whatever_the_details(details: Details) -> None:
    written = next_entry(None, PHOTO_ID, Told(Event.RETAINED, details, NOON))

    told = {
        "photo_id": str(PHOTO_ID),
        "number": 1,
        "at": "2026-03-01T12:00:00.123456Z",
        "event": "retained",
        "details": json.loads(written.details),
        "previous_sha256": "0" * 64,
    }
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert written.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert is_unbroken([written])


def test_moment_counts_and_not_the_zone_that_it_is_told_in() -> None:
    in_utc = datetime(2026, 3, 1, 12, tzinfo=UTC)
    elsewhere = in_utc.astimezone(timezone(timedelta(hours=5.5)))
    here, there = (
        next_entry(None, PHOTO_ID, Told(Event.DELETED, {}, at)) for at in (in_utc, elsewhere)
    )

    assert here.sha256 == there.sha256


@pytest.mark.parametrize(
    "record",
    [
        cropped_record("a", retained_key="o/a.jpg"),
        cropped_record("c", context_bytes=9_204),
        kept_record("b"),
    ],
)
def test_account_holds_what_an_auditor_needs_and_no_fractions(record: Record) -> None:
    told = next_entry(None, record.id, recorded(record))

    details = json.loads(told.details, parse_float=pytest.fail)

    assert details["original"]["sha256"] == record.original.sha256
    assert details["stored"]["key"] == record.stored.key
    assert details["model"]["sha256"] == record.model.sha256
    assert details.get("reason") == record.reason
    assert ("crop" in details) == (record.crop is not None)
    assert ("retained" in details) == (record.original.retained_key is not None)
    assert ("context" in details) == (record.context is not None)
    assert told.at == record.received_at


def test_account_and_last_entry_tell_of_the_context_picture() -> None:
    record = cropped_record("a", context_bytes=9_204)
    assert record.context is not None
    told = {
        "sha256": record.context.sha256,
        "bytes": 9_204,
        "media_type": "image/webp",
        "key": record.context.key,
    }

    assert account_of(record)["context"] == told
    assert deleted(record, at=NOON).details["context"] == told
