"""Waiting for a store or a database that does not answer, however long that takes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

import structlog

from service.core.errors import Unavailable

T = TypeVar("T")
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 60.0


class Interrupted(Exception):
    """The process is to end while it waits."""


class Patience:
    """One piece of work's waiting; each outage in a row is waited for longer than the last."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self.delay_s = FIRST_DELAY_S
        self._until = 0.0

    @property
    def is_waiting(self) -> bool:
        return monotonic() < self._until

    def met(self, outage: Unavailable) -> None:
        """Waits from now on; of many that met the same outage one counts."""
        if self.is_waiting:
            return
        structlog.get_logger().warning(
            "job.waits", code=outage.code, why=str(outage), delay_s=self.delay_s
        )
        self._until = monotonic() + self.delay_s
        self.delay_s = min(2 * self.delay_s, LONGEST_DELAY_S)

    def ended(self) -> None:
        """Something went well again."""
        self.delay_s = FIRST_DELAY_S

    def outlasts(self, work: Callable[[], T]) -> T:
        """What `work` gives once nothing is unavailable. Raises `Interrupted`."""
        while True:
            try:
                return work()
            except Unavailable as error:
                self.met(error)
                if self._stop.wait(max(0.0, self._until - monotonic())):
                    raise Interrupted from error
