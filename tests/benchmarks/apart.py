"""Ways to do the same, each in a process of its own, in turn on one core.

A process that works on photos all day has a heap to its habits. In one process with others a way
finds memory that those have left, or gives back what it will need again, and which of both depends
on who went before: the same call took half as long again.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median

from tests.servers.cores import last_core, on_cores

Way = Callable[[], object]
Making = Callable[[], Way]
"""Makes a way in the process that is to go it; can be pickled."""

ROUNDS = 9
IN_A_ROW = 3
"""So often a way is gone each time that it is its turn, after once that does not count."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of processor time."""

    ms: float
    kernel_ms: float
    """Of these, what the system took: nearly all of it to hand out memory."""

    @property
    def user_ms(self) -> float:
        """On a system that hands out memory for nothing."""
        return self.ms - self.kernel_ms


def calling(function: Callable[..., object], *arguments: object) -> Making:
    """The way that calls it with these."""
    return partial(partial, function, *arguments)


def costs(ways: Mapping[str, Making], *, rounds: int = ROUNDS) -> dict[str, Cost]:
    """The median of each way, one after the other, so that a busy moment hits all alike."""
    taken: dict[str, list[Cost]] = {name: [] for name in ways}
    with on_cores({last_core()}), ExitStack() as running:
        processes = {name: running.enter_context(_ready(ways[name])) for name in ways}
        for _ in range(rounds):
            for name, process in processes.items():
                process.send(IN_A_ROW)
                taken[name] += process.recv()
    return {name: _median(each) for name, each in taken.items()}


@contextmanager
def _ready(making: Making) -> Iterator[Connection]:
    """To a process that is told how often to go the way, and ends when it is told 0."""
    spawning = get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_go, args=(making, theirs), daemon=True)
    process.start()
    theirs.close()  # so that reading fails, and does not wait, where the process has died
    try:
        yield ours
    finally:
        ours.send(0)
        process.join()


def _go(making: Making, pipe: Connection) -> None:
    way = making()
    while times := pipe.recv():
        way()
        pipe.send([_cost(way) for _ in range(times)])


def _cost(way: Way) -> Cost:
    before = resource.getrusage(resource.RUSAGE_SELF)
    way()
    after = resource.getrusage(resource.RUSAGE_SELF)
    kernel_ms = 1000 * (after.ru_stime - before.ru_stime)
    return Cost(1000 * (after.ru_utime - before.ru_utime) + kernel_ms, kernel_ms)


def _median(taken: list[Cost]) -> Cost:
    return Cost(median(each.ms for each in taken), median(each.kernel_ms for each in taken))
