"""What every ledger promises, held by the fake and by both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.access import ApiKey, Scope, secret_sha256
from service.core.crop import Reason
from service.core.errors import RequestRejected
from service.core.photo import sha256_of
from service.core.record import Capture, PhotoFilter, Record
from service.ports import Ledger
from tests.records import NOON, cropped_record, kept_record

PLAIN_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=255)
CALENDAR_START, CALENDAR_END = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001 - drawn with a zone
ANY_ZONE = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


def full_record() -> Record:
    """Every optional part is there, no two fields hold the same, and sizes need 64 bits."""
    record = cropped_record(
        "full",
        capture=Capture(
            meter_id="Zähler-№1047 水道 🚰",
            site="Åbo / Straße 3",
            meter_type="water",
            reader_id="O'Brien; drop table photos --",
            captured_at=datetime(2026, 3, 1, 10, 35, 21, 7, tzinfo=timezone(timedelta(hours=5.5))),
            tags={"Ω": "naïve “quotes” \\ \n\t", "": "", "empty": "", "b": "1", "a": "2"},
        ),
        original_bytes=5_000_000_000,
        stored_bytes=4_000_000_001,
        retained_key="originals/éé.jpg",
    )
    original = replace(record.original, retained_until=NOON + timedelta(days=30))
    return replace(
        record,
        original=replace(original, exif_orientation=4_294_967_295),
        stored=replace(record.stored, exact=False),
        exif=bytes(range(256)) * 16,
    )


@pytest.mark.parametrize(
    "record",
    [
        full_record(),
        cropped_record("bare"),
        kept_record("kept", capture=Capture(meter_id="G-1", tags={"round": "7"})),
    ],
    ids=["full", "bare", "kept"],
)
def test_record_comes_back_whole(ledger: Ledger, record: Record) -> None:
    created = ledger.record(record)

    assert created.created
    assert created.record == record
    assert ledger.by_id(record.id) == record
    assert ledger.by_original(record.original.sha256) == record
    assert ledger.page(PhotoFilter(), limit=10).items == (record,)


def test_context_picture_comes_back_and_goes_with_a_change(ledger: Ledger) -> None:
    record = cropped_record("with context", context_bytes=9_204)
    without = replace(record, context=None)
    ledger.record(record)

    assert ledger.by_id(record.id) == record
    assert ledger.change(record, without)
    assert ledger.by_id(record.id) == without
    assert not ledger.change(record, without)


def test_every_reason_comes_back(ledger: Ledger) -> None:
    for reason in Reason:
        record = kept_record(reason, reason=reason)
        ledger.record(record)

        assert ledger.by_id(record.id) == record


def test_times_come_back_in_utc(ledger: Ledger) -> None:
    captured_at = datetime(2026, 7, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    record = cropped_record("zones", capture=Capture(captured_at=captured_at.astimezone(UTC)))
    ledger.record(record)

    found = ledger.by_id(record.id)

    assert found is not None
    assert found.capture.captured_at is not None
    assert found.capture.captured_at.isoformat() == "2026-06-30T23:00:00+00:00"
    assert found.received_at.isoformat() == "2026-03-01T12:00:00.123456+00:00"


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    meter_id=st.none() | PLAIN_TEXT,
    tags=st.dictionaries(PLAIN_TEXT, PLAIN_TEXT, max_size=4),
    captured_at=st.datetimes(min_value=CALENDAR_START, max_value=CALENDAR_END, timezones=ANY_ZONE),
    confidence=st.floats(0.0, 1.0),
)
def test_any_plain_text_and_moment_comes_back_as_it_was(
    ledger: Ledger,
    meter_id: str | None,
    tags: dict[str, str],
    captured_at: datetime,
    confidence: float,
) -> None:
    capture = Capture(meter_id=meter_id, tags=tags, captured_at=captured_at)
    record = cropped_record(str(uuid4()), capture=capture)
    record = replace(record, confidence=confidence)
    ledger.record(record)

    assert ledger.by_id(record.id) == record
    found = ledger.page(PhotoFilter(meter_id=meter_id), limit=100).items
    assert record in found


def test_unknown_photos_are_none(ledger: Ledger) -> None:
    assert ledger.by_id(uuid4()) is None
    assert ledger.by_original("00" * 32) is None
    assert ledger.original_of_idempotency_key("never used") is None


def test_same_bytes_give_the_earlier_record(ledger: Ledger) -> None:
    first, second = cropped_record("same"), cropped_record("same")
    ledger.record(first)

    again = ledger.record(second)

    assert again.record == first
    assert not again.created
    assert ledger.by_id(second.id) is None


def test_same_record_twice_is_kept_once(ledger: Ledger) -> None:
    record = cropped_record("retried")
    ledger.record(record, idempotency_key="k")

    again = ledger.record(record, idempotency_key="k")

    assert again.record == record
    assert not again.created
    assert len(ledger.page(PhotoFilter(), limit=10).items) == 1


def test_idempotency_key_with_the_same_bytes_gives_the_earlier_record(ledger: Ledger) -> None:
    first = cropped_record("keyed")
    ledger.record(first, idempotency_key="order 66 ✓")

    again = ledger.record(cropped_record("keyed"), idempotency_key="order 66 ✓")

    assert again.record == first
    assert not again.created
    assert ledger.original_of_idempotency_key("order 66 ✓") == first.original.sha256


def test_idempotency_key_with_other_bytes_is_refused_and_nothing_kept(ledger: Ledger) -> None:
    first, other = cropped_record("first"), cropped_record("other")
    ledger.record(first, idempotency_key="k")

    with pytest.raises(RequestRejected, match="other bytes") as refusal:
        ledger.record(other, idempotency_key="k")

    assert refusal.value.code == "idempotency.conflict"
    assert ledger.by_id(other.id) is None
    assert ledger.by_original(other.original.sha256) is None
    assert ledger.original_of_idempotency_key("k") == first.original.sha256


def test_earlier_record_is_found_by_a_second_idempotency_key(ledger: Ledger) -> None:
    first = cropped_record("twice keyed")
    ledger.record(first, idempotency_key="one")

    again = ledger.record(cropped_record("twice keyed"), idempotency_key="two")

    assert again.record == first
    assert ledger.original_of_idempotency_key("one") == first.original.sha256
    assert ledger.original_of_idempotency_key("two") == first.original.sha256


def test_idempotency_key_that_cannot_be_kept_is_refused(ledger: Ledger) -> None:
    record = cropped_record("odd key")

    for key in ("a\x00b", "half \ud83d", "k" * 256):
        with pytest.raises(RequestRejected, match="idempotency_key") as refusal:
            ledger.record(record, idempotency_key=key)

        assert refusal.value.code == "field.invalid"
        assert ledger.by_id(record.id) is None


def test_deleted_photo_is_forgotten_with_its_idempotency_keys(ledger: Ledger) -> None:
    gone, stays = cropped_record("gone"), cropped_record("stays")
    ledger.record(gone, idempotency_key="of the gone")
    ledger.record(stays, idempotency_key="of the staying")

    ledger.delete(gone.id, at=NOON)
    ledger.delete(gone.id, at=NOON)

    assert ledger.by_id(gone.id) is None
    assert ledger.by_original(gone.original.sha256) is None
    assert ledger.original_of_idempotency_key("of the gone") is None
    assert ledger.by_id(stays.id) == stays
    assert ledger.original_of_idempotency_key("of the staying") == stays.original.sha256


def test_deleted_bytes_can_be_recorded_anew(ledger: Ledger) -> None:
    first, second = cropped_record("back"), cropped_record("back")
    ledger.record(first, idempotency_key="k")
    ledger.delete(first.id, at=NOON)

    assert ledger.record(second, idempotency_key="k").created
    assert ledger.by_original(second.original.sha256) == second


def key_named(name: str, *, created_at: datetime = NOON) -> ApiKey:
    scopes = frozenset({Scope.READ, Scope.UPLOAD})
    return ApiKey(uuid4(), name, scopes, secret_sha256(name), created_at)


def test_keys_are_listed_oldest_first(ledger: Ledger) -> None:
    newer = key_named("newer", created_at=NOON + timedelta(microseconds=1))
    older = key_named("älter 🔑")
    ledger.add_key(newer)
    ledger.add_key(older)

    assert ledger.keys() == (older, newer)


def test_key_without_scopes_comes_back_so(ledger: Ledger) -> None:
    key = replace(key_named("powerless"), scopes=frozenset())
    ledger.add_key(key)

    assert ledger.keys() == (key,)


def test_record_is_found_by_the_bytes_of_its_original_and_of_its_crop(ledger: Ledger) -> None:
    record = ledger.record(cropped_record("a")).record

    assert ledger.of_bytes(record.original.sha256) == record
    assert ledger.of_bytes(record.stored.sha256) == record
    assert ledger.of_bytes(sha256_of(b"of neither")) is None


def test_bytes_that_are_an_original_are_that_before_they_are_a_crop(ledger: Ledger) -> None:
    crop = ledger.record(cropped_record("a")).record.stored
    taken = cropped_record("b")
    original = replace(taken.original, sha256=crop.sha256)
    record = ledger.record(replace(taken, original=original)).record

    assert ledger.of_bytes(crop.sha256) == record


def test_key_added_twice_is_there_once(ledger: Ledger) -> None:
    key = key_named("retried")
    ledger.add_key(key)
    ledger.add_key(key)

    assert ledger.keys() == (key,)


def test_key_is_found_by_its_secret(ledger: Ledger) -> None:
    key = key_named("gate")
    ledger.add_key(key)
    ledger.add_key(key_named("other"))

    assert ledger.key_by_secret(secret_sha256("gate")) == key
    assert ledger.key_by_secret(secret_sha256("nobody's")) is None


def test_revoked_key_stays_listed_with_the_first_time(ledger: Ledger) -> None:
    key = key_named("leaked")
    ledger.add_key(key)
    first, later = NOON + timedelta(hours=1), NOON + timedelta(hours=2)

    revoked = ledger.revoke_key(key.id, at=first)
    again = ledger.revoke_key(key.id, at=later)

    assert revoked == again == replace(key, revoked_at=first)
    assert ledger.key_by_secret(key.secret_sha256) == revoked
    assert ledger.keys() == (revoked,)


def test_revoking_an_unknown_key_gives_none(ledger: Ledger) -> None:
    assert ledger.revoke_key(uuid4(), at=NOON) is None


def test_check_passes_while_the_ledger_is_there(ledger: Ledger) -> None:
    ledger.check()
