"""Starts a real server on loopback, waits until it answers, and stops it by its own pid."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

POLL_S = 0.02
STOP_S = 60.0
PORTS = range(20_000, 32_000)
"""Below those that Linux and macOS give to clients and to servers that ask for any."""


@dataclass(slots=True)
class ServerProcess:
    """One server program; `start` and `stop` may alternate, the command and port stay the same."""

    command: tuple[str, ...]
    ready: Callable[[], bool]
    """Whether it answers; asked again and again, so a refused connection is False, not an error."""
    log: Path
    """Everything it prints, appended over restarts."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's own."""
    stop_signal: signal.Signals = signal.SIGTERM
    deadline_s: float = 120.0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.command[0]} is not running")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns once it is ready; raises RuntimeError with the log's end where it never is."""
        if self.is_running:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                # Ctrl-C in the terminal is for the tests, which then stop their servers in order.
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Asks it to end, and kills it where it does not."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """As a power cut would: no chance to tidy up."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.deadline_s
        while time.monotonic() < deadline:
            if not self.is_running:
                raise RuntimeError(f"{self.command[0]} ended at its start:\n{self._log_end()}")
            if self.ready():
                return
            time.sleep(POLL_S)
        self.kill()
        raise RuntimeError(
            f"{self.command[0]} was not ready in {self.deadline_s} s:\n{self._log_end()}"
        )

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@contextmanager
def running(server: ServerProcess) -> Iterator[ServerProcess]:
    """The server, ready; stopped at the end whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def free_port() -> int:
    """A loopback TCP port that nothing listens on, and that is nobody's while its server is down.

    One that the kernel chose could be another process's by the time that the server is back.
    """
    chosen = random.SystemRandom()
    while True:
        port = chosen.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def port_answers(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5.0):
            return True
    except OSError:
        return False
