"""How fast a job's items may begin."""

from __future__ import annotations

from threading import Lock
from time import monotonic


class Pace:
    """Lets `per_second` through, evenly; safe to use from many threads. None is no limit."""

    def __init__(self, per_second: float | None) -> None:
        self._interval_s = 0.0 if per_second is None else 1.0 / per_second
        self._next = monotonic()
        self._lock = Lock()

    def allows(self) -> bool:
        """Whether one more may begin now; then it counts."""
        with self._lock:
            now = monotonic()
            if now < self._next:
                return False
            self._next = max(self._next, now - self._interval_s) + self._interval_s
            return True
