"""Every item is in one chunk, and finds itself there."""

from hypothesis import example, given
from hypothesis import strategies as st

from service.core.job import CHUNK_ITEMS, FINE_ITEMS, LATER_CHUNK_ITEMS, chunk_of, numbers_in


@given(st.integers(0, 10**9))
@example(FINE_ITEMS - 1)
@example(FINE_ITEMS)
def test_item_is_in_its_chunk_and_in_no_other(number: int) -> None:
    chunk = chunk_of(number)

    assert number in numbers_in(chunk)
    assert numbers_in(chunk)[-1] + 1 == numbers_in(chunk + 1)[0]


def test_long_jobs_have_larger_chunks_after_the_first() -> None:
    assert len(numbers_in(0)) == len(numbers_in(chunk_of(FINE_ITEMS - 1))) == CHUNK_ITEMS
    assert len(numbers_in(chunk_of(FINE_ITEMS))) == LATER_CHUNK_ITEMS
