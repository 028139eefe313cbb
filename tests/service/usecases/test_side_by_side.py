"""Work done several at a time."""

from __future__ import annotations

from threading import Event, Lock

import pytest

from service.usecases.side_by_side import outcomes


def test_outcomes_come_in_the_order_of_the_work_and_none_is_left_out() -> None:
    stop = Event()
    found = outcomes(lambda n: n if n % 3 else None, range(50), name="n", workers=4, stop=stop)
    assert list(found) == [n for n in range(50) if n % 3]
    assert not stop.is_set()


def test_nothing_is_begun_once_it_is_to_stop() -> None:
    stop = Event()
    found = outcomes(str, range(1000), name="n", workers=2, stop=stop)
    assert next(found) == "0"
    stop.set()
    assert len(list(found)) <= 8


def test_what_breaks_one_ends_these_alone_and_not_all_that_shares_the_signal() -> None:
    """A worker whose purge meets an outage goes on with its jobs."""
    stop, begun, lock = Event(), list[int](), Lock()

    def work(n: int) -> int:
        with lock:
            begun.append(n)
        if n == 3:
            raise OSError("away")
        return n

    with pytest.raises(OSError, match="away"):
        list(outcomes(work, range(1000), name="n", workers=2, stop=stop))

    assert not stop.is_set()
    assert len(begun) < 20
