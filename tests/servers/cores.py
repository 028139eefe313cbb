"""Which cores a process and its children run on, and how much of them they take; Linux only."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


def last_core() -> int:
    """Of those that this process may use; the first gets the system's own work more often."""
    return max(os.sched_getaffinity(0))


def cpu_s(pid: int) -> float:
    """Seconds that it has computed so far, with its children, also those that have ended."""
    ticks = sum(_ticks(each) for each in (pid, *_below(pid)))
    return ticks / TICKS


def pin(pid: int, cores: Collection[int]) -> None:
    """All of its threads and children, and with them what those start later."""
    for each in (pid, *_below(pid)):
        with suppress(FileNotFoundError):
            for thread in (PROC / f"{each}" / "task").iterdir():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def on_cores(cores: Collection[int]) -> Iterator[None]:
    """What this thread starts within the block runs there; so does the thread, within it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _below(pid: int) -> Iterator[int]:
    """Its children and theirs."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in (PROC / f"{pid}" / "task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                yield child
                yield from _below(child)


def _ticks(pid: int) -> int:
    """Its own, and those of children that it has waited for (see proc(5), `stat`)."""
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = (PROC / f"{pid}" / "stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15]))
    return 0
