"""How much is worked on at once: refusing early is kinder than running out of memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from service.core.budget import Budget
from service.core.errors import Unavailable


class Admission:
    """Lets photos in by their pixels, first come first served, none waiting over `patience_s`."""

    def __init__(self, budget: Budget, *, patience_s: float) -> None:
        self.budget = budget
        self._patience_s = patience_s
        self._line = anyio.Lock()
        self._freed = anyio.Event()

    @asynccontextmanager
    async def admitted(self, pixels: int) -> AsyncIterator[None]:
        """Raises `Unavailable` `service.busy` where no room comes free in time."""
        await self._enter(pixels)
        try:
            yield
        finally:
            self.budget.give_back(pixels)
            if self._line.locked():
                self._freed.set()
                self._freed = anyio.Event()

    async def _enter(self, pixels: int) -> None:
        """Only the head of the line asks for room, so that small photos can't pass a large one.

        Nearly always there is no line, and room at once.
        """
        if not self._line.locked() and self.budget.take(pixels):
            return
        with anyio.move_on_after(self._patience_s):
            async with self._line:
                while not self.budget.take(pixels):
                    await self._freed.wait()
                return
        raise busy(f"{self.budget.held / 1e6:.1f} megapixels are being worked on")


def busy(why: str) -> Unavailable:
    return Unavailable("service.busy", f"{why}; send the photo again in a moment", retry_after_s=2)
