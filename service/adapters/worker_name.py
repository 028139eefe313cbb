"""A worker's name: its own while it runs, and the same when it starts again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from service.core.errors import Misconfigured

MOST = 256
"""Workers of one machine and one home folder."""


@contextmanager
def worker_name(home: Path, *, alone: bool) -> Iterator[str]:
    """The machine's name and the first free number, held until the block ends or the process dies.

    With `alone` a second worker is refused: `Misconfigured` `worker.alone`.
    """
    host = socket.gethostname()
    home.mkdir(parents=True, exist_ok=True)
    for number in range(1 if alone else MOST):
        name = f"{host}-{number}"
        lock = FileLock(home / f"worker-{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            yield name
        finally:
            lock.release()
        return
    raise Misconfigured(
        "worker.alone" if alone else "settings.home",
        f"a worker runs already on the embedded database in {home}: one is all it takes; for more, "
        "set METERCROP_DATABASE_URL to a PostgreSQL"
        if alone
        else f"{MOST} workers run already with METERCROP_HOME {home}",
    )
