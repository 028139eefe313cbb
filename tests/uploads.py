"""Uploads over several connections, by a client that costs next to nothing beside the service."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from time import clock_gettime, perf_counter, sleep
from typing import IO
from urllib.parse import urlsplit

from tests.service.commands import TIMEOUT_S, Workplace

BOUNDARY = "------------------------d74496d66958873e"
"""As curl makes them."""
WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Body:
    content: bytes
    media_type: str = "image/jpeg"


def form_of(photo: bytes) -> Body:
    """As `curl -F file=@meter.jpg -F meter_id=G-1047` sends it."""
    edge = BOUNDARY.encode()
    named = b'Content-Disposition: form-data; name="%s"'
    head = b"--" + edge + b"\r\n" + named % b"file" + b'; filename="meter.jpg"\r\n'
    field = b"\r\n--" + edge + b"\r\n" + named % b"meter_id" + b"\r\n\r\nG-1047"
    parts = (head, b"Content-Type: image/jpeg\r\n\r\n", photo, field, b"\r\n--" + edge + b"--\r\n")
    return Body(b"".join(parts), f"multipart/form-data; boundary={BOUNDARY}")


@dataclass(frozen=True, slots=True)
class Served:
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    url: str

    @property
    def computed_s(self) -> float:
        """Seconds of all its threads so far, those that have ended too, to the nanosecond.

        The clock's number is made as in Linux's `MAKE_PROCESS_CPUCLOCK`.
        """
        return clock_gettime((~self.process.pid << 3) | 2)

    @property
    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None, status
        return int(found[1]) * 1024

    def taken(self, body: Callable[[int], Body], numbers: range, *, connections: int) -> float:
        """Seconds until all were answered with 201."""
        ahead = iter(numbers)
        started = perf_counter()
        with ThreadPoolExecutor(connections) as pool:
            clients = [pool.submit(self._statuses, ahead, body) for _ in range(connections)]
            statuses = sum((client.result() for client in clients), Counter[int]())
        assert statuses == {201: len(numbers)}, statuses
        return perf_counter() - started

    def _statuses(self, numbers: Iterator[int], body: Callable[[int], Body]) -> Counter[int]:
        statuses = Counter[int]()
        address = urlsplit(self.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=WITHIN_S)
        for number in numbers:
            sent = body(number)
            headers = {"Content-Type": sent.media_type}
            connection.request("POST", "/v1/photos", sent.content, headers)
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
        connection.close()
        return statuses


@contextmanager
def served_by(start: Callable[[IO[str]], subprocess.Popen[str]], log: Path) -> Iterator[Served]:
    """From the moment that it says its address in its log, until the block ends."""
    with log.open("w") as output:
        process = start(output)
    try:
        yield Served(process, _address(process, log))
    finally:
        process.terminate()
        process.wait(timeout=TIMEOUT_S)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    while (found := re.search(r"on (http://[\d.:]+)\b", log.read_text())) is None:
        assert process.poll() is None, log.read_text()
        sleep(0.05)
    return found[1]


@contextmanager
def serving(workplace: Workplace) -> Iterator[Served]:
    """`metercrop serve` on any free port."""

    def start(log: IO[str]) -> subprocess.Popen[str]:
        return workplace.start("serve", "--port", "0", output=log)

    with served_by(start, workplace.folder / "serve.log") as service:
        yield service
