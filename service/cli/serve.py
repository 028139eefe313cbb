"""`metercrop serve`."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
import uvicorn

from service.adapters.machine import keep_memory_at_hand
from service.cli.flags import ALL, Flags, takes_settings
from service.cli.logs import configure_logging
from service.core.errors import Misconfigured
from service.settings import read_settings

if TYPE_CHECKING:
    from service.ports import ModelDescription

GRACE_S = 30
"""How long requests in flight may take to finish once the server was told to stop."""
BACKLOG = 2048
PROTOCOL = "service.cli.http_protocol:WholeChunks"
"""Named, so that it is only imported by who serves."""


@takes_settings(*ALL)
def serve(
    *,
    host: Annotated[str, typer.Option(metavar="", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="", help="0 takes any free one.", min=0, max=65535)
    ] = 8000,
    flags: Flags,
) -> None:
    """Serves API and dashboard until stopped.

    The embedded database is brought up to date first, the model is checked and warmed.

    Example: `metercrop serve --port 8080 --device cpu`
    """
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without
    from service.usecases.rehearsal import rehearse  # noqa: PLC0415  heavy as well

    settings = read_settings(flags)
    configure_logging()
    keep_memory_at_hand()
    machine = bootstrap.assembled(settings, threads=1)
    rehearse(machine.intake.optimizer)
    app = bootstrap.api_of(settings, machine, host=host)
    with _listening(host, port) as listener:
        ready = _readiness_line(listener, machine.segmenter.description)
        _Server(_config(app), lambda: typer.echo(ready)).run_on(listener)


class _Server(uvicorn.Server):
    """Says so once it answers, and ends in peace when told to stop."""

    def __init__(self, config: uvicorn.Config, say_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._say_ready = say_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._say_ready()

    def run_on(self, listener: socket.socket) -> None:
        # When it has shut down, uvicorn raises the signal once more for the handlers of before:
        # the default ones would make a wanted stop look like a crash.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        # What was made until now stays: to look through it for garbage would hold up an answer.
        gc.collect()
        gc.freeze()
        self.run([listener])


def engines() -> tuple[str, str]:
    """The event loop's package and the HTTP parser's, as uvicorn chooses of what is installed."""

    async def nothing(_scope: object, _receive: object, _send: object) -> None:
        """Nobody asks it."""

    config = _config(nothing)
    config.load()
    loop = config.get_loop_factory()
    parser = getattr(config.http_protocol_class.__base__, "__module__", "")
    return (
        loop.__module__.partition(".")[0] if loop else "asyncio",
        parser.rpartition(".")[2].removesuffix("_impl"),
    )


def _config(app: Callable[..., object]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PROTOCOL,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )


def _listening(host: str, port: int) -> socket.socket:
    """Raises `Misconfigured` `serve.address`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise _unusable(host, port, str(error.strerror)) from error
    except OSError as error:
        raise _unusable(host, port, os.strerror(error.errno or 0)) from error


def _unusable(host: str, port: int, why: str) -> Misconfigured:
    return Misconfigured(
        "serve.address",
        f"cannot listen on {host}:{port} ({why}); choose another --host or --port",
    )


def _readiness_line(listener: socket.socket, model: ModelDescription) -> str:
    host, port = listener.getsockname()[:2]
    where = f"[{host}]" if ":" in host else host
    return (
        f"metercrop answers on http://{where}:{port} with {model.name} {model.version} "
        f"on {model.provider}; Ctrl-C stops it"
    )
