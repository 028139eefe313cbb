"""An amount that work in progress shares."""

from __future__ import annotations

from threading import Lock


class Budget:
    """An amount that all work in progress may hold together; safe to use from many threads.

    What is larger than the whole budget gets in while nothing else is held: else it never would.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held = 0
        self._lock = Lock()

    @property
    def held(self) -> int:
        return self._held

    def take(self, amount: int) -> bool:
        """At once or not at all."""
        with self._lock:
            if self._held > 0 and self._held + amount > self.limit:
                return False
            self._held += amount
            return True

    def give_back(self, amount: int) -> None:
        with self._lock:
            self._held -= amount
