from __future__ import annotations

from collections.abc import Sequence
from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.archive import ArchivedObject
from service.core.forecast import forecast_of, student_t
from service.core.job import Forecast, Item, ItemState, Mode

CROPPED, KEPT, FAILED = ItemState.CROPPED, ItemState.KEPT_ORIGINAL, ItemState.FAILED


def item(
    state: ItemState, *, original: int = 1_000, stored: int = 0, context_bytes: int = 0
) -> Item:
    found = ArchivedObject("s3://photos", "meter.jpg", original, "etag")
    return Item(
        0,
        found,
        state,
        original_bytes=original,
        stored_bytes=stored,
        context_bytes=context_bytes,
    )


def forecast(
    sample: Sequence[Item],
    *,
    mode: Mode = Mode.COPY,
    objects: int | None = None,
    original_bytes: int | None = None,
    price: float = 0.023,
    min_billable_bytes: int = 0,
    elapsed_s: float = 1.0,
) -> Forecast:
    """Of the sample alone where no larger whole is given."""
    sampled_bytes = sum(each.object.bytes for each in sample)
    return forecast_of(
        iter(sample),
        mode=mode,
        objects=len(sample) if objects is None else objects,
        original_bytes=sampled_bytes if original_bytes is None else original_bytes,
        price_per_gb_month=price,
        min_billable_bytes=min_billable_bytes,
        elapsed_s=elapsed_s,
    )


MIXED = [item(CROPPED, stored=100), item(CROPPED, stored=300), item(KEPT, stored=1_000)]


def test_saved_share_is_of_bytes_and_not_of_photos() -> None:
    sample = [item(CROPPED, original=9_000, stored=0), item(KEPT, original=1_000, stored=1_000)]
    assert forecast(sample).saved_fraction == 0.9


def test_context_picture_is_billed_as_an_object_of_its_own() -> None:
    with_context = [item(CROPPED, original=10**9, stored=3_000, context_bytes=1_000)]
    billed = 2_500 + 2_500

    asked = forecast(with_context, price=1.0, min_billable_bytes=2_500)

    assert asked.money_per_month == pytest.approx(1.0 - billed / 10**9, abs=1e-12)
    assert asked.saved_fraction == 1.0 - 3_000 / 10**9


def test_context_picture_is_written_and_not_read_back() -> None:
    with_context = [item(CROPPED, original=10_000, stored=3_000, context_bytes=1_000)]
    replacing = forecast(with_context, mode=Mode.REPLACE)
    assert replacing.transferred_bytes == 10_000 + 2 * 2_000 + 1_000


def test_what_failed_or_was_skipped_saves_nothing() -> None:
    sample = [*MIXED, item(FAILED), item(ItemState.SKIPPED)]
    assert forecast(sample).saved_fraction == pytest.approx(1_600 / 5_000)
    assert forecast(sample).failed_fraction == pytest.approx(1 / 5)


def test_share_of_kept_photos_is_of_those_that_could_be_read() -> None:
    sample = [*MIXED, item(FAILED), item(FAILED), item(ItemState.SKIPPED)]
    assert forecast(sample).kept_fraction == pytest.approx(1 / 3)


def test_pending_items_count_as_not_drawn() -> None:
    assert forecast([*MIXED, item(ItemState.PENDING)], objects=9) == forecast(
        MIXED, objects=9, original_bytes=4_000
    )


def test_whole_archive_leaves_no_doubt() -> None:
    whole = forecast(MIXED)
    assert whole.saved_fraction_low == whole.saved_fraction == whole.saved_fraction_high
    assert (whole.sampled, whole.objects) == (3, 3)


def test_empty_archive_saves_nothing_for_certain() -> None:
    empty = forecast([])
    assert (empty.saved_fraction_low, empty.saved_fraction_high) == (0.0, 0.0)
    assert (empty.money_per_month, empty.duration_s, empty.transferred_bytes) == (0.0, 0.0, 0)


@pytest.mark.parametrize("sample", [[], [item(FAILED, original=0)]])
def test_sample_without_a_byte_tells_nothing(sample: list[Item]) -> None:
    nothing = forecast(sample, objects=100, original_bytes=10**6)
    assert (nothing.saved_fraction_low, nothing.saved_fraction_high) == (0.0, 1.0)


def test_one_photo_tells_hardly_anything() -> None:
    one = forecast([item(CROPPED, stored=100)], objects=10_000)
    assert (one.saved_fraction_low, one.saved_fraction_high) == (0.0, 1.0)


def test_sample_of_equals_still_allows_for_the_rare_photo_that_is_kept() -> None:
    equal = forecast([item(CROPPED, stored=100)] * 50, objects=10_000)
    assert equal.saved_fraction == pytest.approx(0.9)
    assert 0.8 < equal.saved_fraction_low < 0.9 * 49 / 50
    assert 0.9 < equal.saved_fraction_high < 0.93


def test_larger_part_of_the_archive_leaves_less_doubt() -> None:
    widths = [
        made.saved_fraction_high - made.saved_fraction_low
        for made in (forecast(MIXED * 30, objects=objects) for objects in (90, 91, 120, 10**6))
    ]
    assert widths == sorted(widths)
    assert widths[0] == 0.0 < widths[1]


def test_money_is_for_all_bytes_of_the_archive() -> None:
    made = forecast(MIXED, objects=3_000_000, original_bytes=3 * 10**9, price=0.02)
    assert made.money_per_month == pytest.approx(1.6 * 0.02)


def test_small_objects_are_billed_as_if_they_had_the_minimum() -> None:
    sample = [item(CROPPED, original=1_000, stored=100), item(CROPPED, original=400, stored=10)]
    made = forecast(sample, original_bytes=1_400 * 10**6, price=1.0, min_billable_bytes=500)
    assert made.money_per_month == pytest.approx(0.5)


def test_duration_is_scaled_from_the_sample_to_all_objects() -> None:
    assert forecast(MIXED, objects=3_000, elapsed_s=1.5).duration_s == pytest.approx(1_500)


@pytest.mark.parametrize(("mode", "transferred"), [(Mode.COPY, 5_400), (Mode.REPLACE, 4_800)])
def test_transferred_is_what_is_read_written_and_read_back(mode: Mode, transferred: int) -> None:
    sample = [*MIXED, item(FAILED), item(ItemState.SKIPPED)]
    assert forecast(sample, mode=mode).transferred_bytes == transferred
    tenfold = forecast(sample, mode=mode, objects=50, original_bytes=50_000)
    assert tenfold.transferred_bytes == 10 * transferred


@pytest.mark.parametrize(("freedom", "quantile"), [(3, 3.1824), (10, 2.2281), (99, 1.9842)])
def test_students_quantile_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    assert student_t(freedom) == pytest.approx(quantile, rel=0.002)


outcomes = st.builds(
    lambda state, original, share: item(state, original=original, stored=round(original * share)),
    st.sampled_from(ItemState),
    st.integers(0, 10**12),
    st.floats(0.0, 1.0),
)


@given(st.lists(outcomes, max_size=12), st.integers(0, 10**9))
def test_bounds_hold_the_estimate_and_lie_between_none_and_all(
    sample: list[Item], objects: int
) -> None:
    made = forecast(sample, objects=objects)
    assert 0.0 <= made.saved_fraction_low <= made.saved_fraction <= made.saved_fraction_high <= 1.0
    assert made.objects >= made.sampled


def skewed_archive(random: Random, *, kept_share: float) -> list[Item]:
    """5,000 objects, a few of them 50 times as large as most; the larger, the likelier kept."""
    archive = []
    for _ in range(5_000):
        deviation = random.gauss(0.0, 1.0)
        original = round(1.5e6 * exp(1.2 * deviation))
        chance = random.random() / (1.5 if deviation > 0.0 else 0.5)
        state = KEPT if chance < kept_share else FAILED if chance > 1.98 else CROPPED
        stored = round(original * random.betavariate(2.5, 18))
        archive.append(item(state, original=original, stored=stored))
    return archive


@pytest.mark.parametrize("kept_share", [0.02, 0.1, 0.4])
@pytest.mark.parametrize(("drawn", "widest"), [(50, 0.4), (100, 0.3), (400, 0.16)])
def test_bounds_hold_the_truth_in_nineteen_of_twenty_samples(
    kept_share: float, drawn: int, widest: float
) -> None:
    random, samples = Random(17), 400
    archive = skewed_archive(random, kept_share=kept_share)
    original_bytes = sum(each.object.bytes for each in archive)
    truth = forecast(archive).saved_fraction
    held, width = 0, 0.0
    for _ in range(samples):
        sample = random.sample(archive, drawn)
        made = forecast(sample, objects=len(archive), original_bytes=original_bytes)
        held += made.saved_fraction_low <= truth <= made.saved_fraction_high
        width += (made.saved_fraction_high - made.saved_fraction_low) / samples
    assert held >= 0.92 * samples  # 0.95, less what chance does in so many samples
    assert width <= widest
