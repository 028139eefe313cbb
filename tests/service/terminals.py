"""The command `metercrop` on a terminal, as people see it while it runs."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.service.commands import COMMAND, TIMEOUT_S, Workplace

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""Colours, and where to write."""


@dataclass(slots=True)
class OnTerminal:
    process: subprocess.Popen[bytes]
    terminal: int
    sent: str = ""

    @property
    def seen(self) -> str:
        """The text that the terminal was sent on stderr so far."""
        return ESCAPES.sub("", self.sent)

    def shows(self, text: str | re.Pattern[str]) -> None:
        """Returns once it has; fails where the command ends without, or never does."""
        wanted = re.compile(re.escape(text)) if isinstance(text, str) else text
        deadline = time.monotonic() + TIMEOUT_S
        while wanted.search(self.seen) is None:
            chunk = self._chunk(deadline - time.monotonic())
            assert chunk, f"no {wanted.pattern!r} in {self.seen!r}"
            self.sent += chunk.decode(errors="replace")

    def ended(self) -> int:
        """Its exit status. What it still says is read, as a full terminal would hold it up."""
        deadline = time.monotonic() + TIMEOUT_S
        while chunk := self._chunk(deadline - time.monotonic()):
            self.sent += chunk.decode(errors="replace")
        return self.process.wait(max(1.0, deadline - time.monotonic()))

    def _chunk(self, patience_s: float) -> bytes:
        """Empty at the end, and where nothing comes."""
        ready, _, _ = select.select([self.terminal], [], [], max(0.0, patience_s))
        try:
            return os.read(self.terminal, 4096) if ready else b""
        except OSError:  # how Linux says that the last writer has closed the terminal
            return b""


@contextmanager
def on_terminal(workplace: Workplace, *arguments: str) -> Iterator[OnTerminal]:
    """While it runs; stdout is none. Killed where the block ends before it."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=workplace.folder,
        env={**workplace.environment, "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=end,
    ) as process:
        os.close(end)
        try:
            yield OnTerminal(process, terminal)
        finally:
            process.kill()
            os.close(terminal)
