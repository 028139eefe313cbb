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

    def shows(self, text: str) -> None:
        """Returns once it has; fails where the command ends without, or never does."""
        deadline = time.monotonic() + TIMEOUT_S
        while text not in self.seen:
            chunk = self._chunk(deadline - time.monotonic())
            assert chunk, f"no {text!r} in {self.seen!r}"
            self.sent += chunk.decode(errors="replace")

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
