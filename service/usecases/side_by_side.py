"""Many things done several at a time, their outcomes in the order in which they were begun."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

QUEUED_PER_WORKER = 4
"""Enough that no worker waits for one slow photo, as outcomes come in order."""


def outcomes(
    work: Callable[[T], R | None], of: Iterable[T], *, name: str, workers: int, stop: Event
) -> Iterator[R]:
    """What `work` gives of each, unless that is None; once `stop` is set no other is begun.

    What it raises is raised here, after those in hand have ended. `name` is that of its threads.
    """
    over = Event()  # for these alone: `stop` may be that of a whole process

    def begun(each: T) -> R | None:
        return None if stop.is_set() or over.is_set() else work(each)

    pending: deque[Future[R | None]] = deque()
    with ThreadPoolExecutor(workers, name) as pool:
        try:
            for each in of:
                if stop.is_set():
                    break
                pending.append(pool.submit(begun, each))
                if len(pending) >= workers * QUEUED_PER_WORKER:
                    yield from _ended(pending)
            while pending:
                yield from _ended(pending)
        except BaseException:
            over.set()
            raise


def _ended(pending: deque[Future[R | None]]) -> Iterator[R]:
    outcome = pending.popleft().result()
    if outcome is not None:
        yield outcome
