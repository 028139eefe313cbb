from hypothesis import given
from hypothesis import strategies as st

from service.core.savings import SavingsTotals

amounts = st.integers(0, 10**15)


def test_nothing_stored_saves_nothing() -> None:
    totals = SavingsTotals()
    assert (totals.saved_bytes, totals.saved_fraction, totals.mean_saved_bytes) == (0, 0.0, 0)
    assert totals.money_per_month(price_per_gb_month=0.023) == 0.0


def test_saved_is_original_less_stored() -> None:
    totals = SavingsTotals(photos=4, original_bytes=1_000, stored_bytes=250)
    assert totals.saved_bytes == 750
    assert totals.saved_fraction == 0.75
    assert totals.mean_saved_bytes == 188


def test_original_still_kept_beside_its_crop_is_saved_but_not_freed() -> None:
    totals = SavingsTotals(photos=1, original_bytes=1_000, stored_bytes=250, retained_bytes=1_000)
    assert totals.saved_bytes == 750
    assert totals.freed_bytes == -250


def test_money_is_counted_on_billable_bytes_in_decimal_gigabytes() -> None:
    totals = SavingsTotals(billable_saved_bytes=2_000_000_000)
    assert totals.money_per_month(price_per_gb_month=0.023) == 0.046


@given(amounts, amounts, amounts)
def test_freed_is_never_more_than_saved(original: int, stored: int, retained: int) -> None:
    totals = SavingsTotals(original_bytes=original, stored_bytes=stored, retained_bytes=retained)
    assert totals.freed_bytes <= totals.saved_bytes
