"""Listing and summing, on the fake and on both databases."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest

from service.core.crop import Reason
from service.core.errors import RequestRejected
from service.core.record import Capture, PhotoFilter, Record, Status
from service.core.savings import SavingsTotals
from service.ports import Ledger
from tests.records import NOON, cropped_record, kept_record


def newest_first(records: list[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record.received_at, record.id), reverse=True)


def test_thousand_records_are_paged_without_gap_or_double_while_more_arrive(
    ledger: Ledger,
) -> None:
    records = [
        cropped_record(f"{n}", received_at=NOON + timedelta(seconds=n // 70)) for n in range(1000)
    ]
    for record in records:
        ledger.record(record)
    paged: list[Record] = []
    cursor = None

    for round_ in range(12):
        page = ledger.page(PhotoFilter(), limit=97, cursor=cursor)
        paged += page.items
        ledger.record(cropped_record(f"new {round_}", received_at=NOON + timedelta(hours=1)))
        if page.next_cursor is None:
            break
        cursor = page.next_cursor

    assert paged == newest_first(records)


def test_last_page_says_so_even_when_it_is_full(ledger: Ledger) -> None:
    for n in range(6):
        ledger.record(cropped_record(f"{n}"))

    first = ledger.page(PhotoFilter(), limit=3)
    second = ledger.page(PhotoFilter(), limit=3, cursor=first.next_cursor)

    assert len(first.items) == len(second.items) == 3
    assert first.next_cursor is not None
    assert second.next_cursor is None


def test_empty_ledger_has_one_empty_page(ledger: Ledger) -> None:
    page = ledger.page(PhotoFilter(), limit=10)

    assert page.items == ()
    assert page.next_cursor is None


def test_paging_goes_on_after_the_last_seen_record_is_deleted(ledger: Ledger) -> None:
    records = newest_first([cropped_record(f"{n}") for n in range(5)])
    for record in records:
        ledger.record(record)
    first = ledger.page(PhotoFilter(), limit=2)

    ledger.delete(first.items[-1].id, at=NOON)

    assert list(ledger.page(PhotoFilter(), limit=9, cursor=first.next_cursor).items) == records[2:]


def base64_of(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


UNREADABLE = [
    "",
    "?",
    "é",
    "AAAA",
    "not a cursor",
    base64_of("2026-03-01T12:00:00+00:00"),
    base64_of("yesterday 0192f0c1-2345-7abc-8def-0123456789ab"),
    base64_of("2026-03-01T12:00:00 0192f0c1-2345-7abc-8def-0123456789ab"),
    base64_of("0001-01-01T00:00:00+23:00 0192f0c1-2345-7abc-8def-0123456789ab"),
]


def test_unreadable_cursor_is_refused_by_name(ledger: Ledger) -> None:
    for cursor in UNREADABLE:
        with pytest.raises(RequestRejected, match="cursor") as refusal:
            ledger.page(PhotoFilter(), limit=10, cursor=cursor)

        assert refusal.value.code == "field.invalid"


def test_cursor_needs_no_escaping_in_a_url(ledger: Ledger) -> None:
    for n in range(2):
        ledger.record(cropped_record(f"{n}"))

    cursor = ledger.page(PhotoFilter(), limit=1).next_cursor

    assert cursor is not None
    assert re.fullmatch(r"[A-Za-z0-9_.~-]+", cursor)


NORTH, SOUTH = Capture(meter_id="G-1", site="north"), Capture(meter_id="G-2", site="south")
ARCHIVE = {
    "a": cropped_record("a", capture=NORTH, received_at=NOON),
    "b": cropped_record("b", capture=SOUTH, received_at=NOON + timedelta(hours=1)),
    "c": kept_record("c", capture=NORTH, received_at=NOON + timedelta(hours=2)),
    "d": kept_record(
        "d", reason=Reason.NO_GAIN, capture=SOUTH, received_at=NOON + timedelta(hours=3)
    ),
    "e": cropped_record("e", received_at=NOON + timedelta(hours=4)),
}


SELECTIONS = [
    (PhotoFilter(), "edcba"),
    (PhotoFilter(meter_id="G-1"), "ca"),
    (PhotoFilter(meter_id="g-1"), ""),
    (PhotoFilter(meter_id=""), ""),
    (PhotoFilter(site="south"), "db"),
    (PhotoFilter(site="sout%"), ""),
    (PhotoFilter(status=Status.CROPPED), "eba"),
    (PhotoFilter(status=Status.KEPT_ORIGINAL), "dc"),
    (PhotoFilter(reason=Reason.NO_GAIN), "d"),
    (PhotoFilter(reason=Reason.LOW_CONFIDENCE), ""),
    (PhotoFilter(from_=NOON + timedelta(hours=2)), "edc"),
    (PhotoFilter(to=NOON + timedelta(hours=2)), "ba"),
    (PhotoFilter(from_=NOON + timedelta(hours=1), to=NOON + timedelta(hours=4)), "dcb"),
    (PhotoFilter(site="north", status=Status.KEPT_ORIGINAL, reason=Reason.NO_REGION), "c"),
    (PhotoFilter(meter_id="G-1", site="south"), ""),
]


def test_filter_selects_for_pages_and_totals_alike(ledger: Ledger) -> None:
    for record in ARCHIVE.values():
        ledger.record(record)

    for where, photos in SELECTIONS:
        first = ledger.page(where, limit=2)
        rest = ledger.page(where, limit=9, cursor=first.next_cursor) if first.next_cursor else None

        listed = [*first.items, *(rest.items if rest else ())]
        assert listed == [ARCHIVE[photo] for photo in photos], where
        assert ledger.totals(where, min_billable_bytes=0).photos == len(photos), where


def test_totals_of_nothing_are_zero(ledger: Ledger) -> None:
    assert ledger.totals(PhotoFilter(), min_billable_bytes=128_000) == SavingsTotals()


def test_totals_count_each_byte_where_it_belongs(ledger: Ledger) -> None:
    ledger.record(cropped_record("large", original_bytes=3_000_000, stored_bytes=200_000))
    ledger.record(cropped_record("small", original_bytes=300_000, stored_bytes=1_000))
    ledger.record(
        cropped_record("in grace", original_bytes=2_000_000, stored_bytes=50_000, retained_key="o")
    )
    ledger.record(kept_record("kept", original_bytes=40_000))

    totals = ledger.totals(PhotoFilter(), min_billable_bytes=128_000)

    assert totals == SavingsTotals(
        photos=4,
        cropped=3,
        original_bytes=5_340_000,
        stored_bytes=291_000,
        retained_bytes=2_000_000,
        billable_original_bytes=3_000_000 + 300_000 + 2_000_000 + 128_000,
        billable_stored_bytes=200_000 + 128_000 + 128_000 + 128_000,
        billable_retained_bytes=2_000_000,
    )
    assert totals.kept_original == 1
    # 3,000,000 - 200,000; 300,000 - 128,000; nothing but a second object; nothing
    assert totals.billable_saved_bytes == 2_800_000 + 172_000 - 128_000 + 0
    assert totals.freed_bytes == 5_340_000 - 291_000 - 2_000_000


def test_context_pictures_are_stored_bytes_too_and_billed_each_as_an_object(
    ledger: Ledger,
) -> None:
    record = cropped_record(
        "with", original_bytes=3_000_000, stored_bytes=200_000, context_bytes=9_000
    )
    ledger.record(record)
    ledger.record(cropped_record("without", original_bytes=1_000_000, stored_bytes=100_000))

    totals = ledger.totals(PhotoFilter(), min_billable_bytes=128_000)

    assert totals.stored_bytes == 200_000 + 9_000 + 100_000
    assert record.saved_bytes == 2_791_000
    assert totals.saved_bytes == record.saved_bytes + 900_000
    assert totals.billable_saved_bytes == 3_000_000 - 200_000 - 128_000 + 1_000_000 - 128_000


def test_without_a_minimum_the_billable_bytes_are_the_freed_ones(ledger: Ledger) -> None:
    for record in ARCHIVE.values():
        ledger.record(record)
    ledger.record(cropped_record("in grace", retained_key="originals/x.jpg", context_bytes=9_000))

    totals = ledger.totals(PhotoFilter(), min_billable_bytes=0)

    assert totals.billable_saved_bytes == totals.freed_bytes != 0


def test_sums_pass_what_sixty_four_bits_of_one_photo_need(ledger: Ledger) -> None:
    huge = cropped_record("huge", original_bytes=2**53 + 1, stored_bytes=1)
    ledger.record(huge)
    ledger.record(cropped_record("huge 2", original_bytes=2**53 + 1, stored_bytes=1))

    totals = ledger.totals(PhotoFilter(), min_billable_bytes=0)

    assert totals.original_bytes == 2**54 + 2
    assert totals.saved_bytes == 2**54
