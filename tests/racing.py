"""Many threads at the same thing, set off together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")
THREADS = 16


def at_once(work: Callable[[int], T], *, threads: int = THREADS) -> list[T]:
    """What each of them gave, all set off at the same moment."""
    barrier = Barrier(threads)

    def when_all_are_there(n: int) -> T:
        barrier.wait(timeout=60)
        return work(n)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(when_all_are_there, range(threads)))
