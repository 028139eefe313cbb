"""Whether this process can do its work, asked at most once a second however many ask."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio

from service.ports import Ledger, ObjectStore, Segmenter
from service.usecases.readiness import Check, attempts, checked

FRESH_S = 1.0
PATIENCE_S = 5.0


class Readiness:
    """A check writes to the store, and anyone may ask for it: so the answer is shared."""

    def __init__(
        self,
        segmenter: Segmenter,
        store: ObjectStore,
        ledger: Ledger,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience_s = patience_s
        self._clock = clock
        self._attempts = attempts(segmenter, store, ledger)
        self._lock = anyio.Lock()
        self._asked_at = float("-inf")
        self._checks: tuple[Check, ...] = ()

    async def checks(self) -> tuple[Check, ...]:
        """One for each part, in the same order; a part that is silent for long has failed."""
        async with self._lock:
            if self._clock() - self._asked_at >= FRESH_S:
                self._checks = await self._ask()
                self._asked_at = self._clock()
            return self._checks

    async def _ask(self) -> tuple[Check, ...]:
        found: dict[str, Check] = {}

        async def ask(part: str, attempt: Callable[[], None]) -> None:
            found[part] = Check(part, f"no answer within {self._patience_s:g} s")
            with anyio.move_on_after(self._patience_s):
                found[part] = await anyio.to_thread.run_sync(
                    checked, part, attempt, abandon_on_cancel=True
                )

        async with anyio.create_task_group() as group:
            for part, attempt in self._attempts.items():
                group.start_soon(ask, part, attempt)
        return tuple(found[part] for part in self._attempts)
