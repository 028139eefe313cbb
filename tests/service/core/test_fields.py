"""What may not enter a record is refused when the value is made, and the field is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import RequestRejected
from service.core.fields import MAX_NAME_CHARS
from service.core.record import Capture, PhotoFilter

UNKEPT = st.sampled_from(["\x00", "\ud800", "\udfff"])


@given(before=st.text(), unkept=UNKEPT, after=st.text())
def test_nul_and_half_surrogates_are_refused_anywhere(before: str, unkept: str, after: str) -> None:
    with pytest.raises(RequestRejected) as refusal:
        Capture(tags={"note": before + unkept + after})

    assert refusal.value.code == "field.invalid"
    assert str(refusal.value).isascii()


CAPTURE_NAMED = {
    "meter_id": lambda name: Capture(meter_id=name),
    "site": lambda name: Capture(site=name),
    "meter_type": lambda name: Capture(meter_type=name),
    "reader_id": lambda name: Capture(reader_id=name),
}


@pytest.mark.parametrize("field", CAPTURE_NAMED)
@pytest.mark.parametrize("text", ["a\x00", "\ud83d", "n" * (MAX_NAME_CHARS + 1)])
def test_name_that_cannot_be_kept_is_refused_by_field(field: str, text: str) -> None:
    with pytest.raises(RequestRejected, match=f"^{field} "):
        CAPTURE_NAMED[field](text)


def test_tag_name_is_looked_at_too() -> None:
    with pytest.raises(RequestRejected, match=r"^tags "):
        Capture(tags={"a\x00b": "fine"})


def test_longest_name_and_any_whole_character_pass() -> None:
    capture = Capture(meter_id="🚰" * MAX_NAME_CHARS, tags={"\x01\n": "\uffff" * 10_000})

    assert capture.meter_id == "🚰" * MAX_NAME_CHARS


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 9, 35),  # noqa: DTZ001 - the very case
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
    ],
)
def test_time_that_is_no_moment_in_utc_is_refused(moment: datetime) -> None:
    with pytest.raises(RequestRejected, match=r"^captured_at "):
        Capture(captured_at=moment)
    with pytest.raises(RequestRejected, match=r"^from "):
        PhotoFilter(from_=moment)
    with pytest.raises(RequestRejected, match=r"^to "):
        PhotoFilter(to=moment)


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)]
)
def test_ends_of_the_calendar_in_utc_pass(moment: datetime) -> None:
    assert Capture(captured_at=moment).captured_at == moment


def test_filter_by_text_that_no_record_can_hold_is_refused() -> None:
    with pytest.raises(RequestRejected, match=r"^meter_id "):
        PhotoFilter(meter_id="\x00")
    with pytest.raises(RequestRejected, match=r"^site "):
        PhotoFilter(site="s" * (MAX_NAME_CHARS + 1))
