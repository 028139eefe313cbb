"""What every answer gets: a measure, safe headers, and time to be read."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import anyio
import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.metrics import Metrics
from service.api.problems import failure

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
LINGER_S = 2.0
"""How long a client may go on sending a body that was refused, so that it reads the answer."""
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines; they fill no log."""


@dataclass(slots=True)
class Exchange:
    """One request so far; `status` is 0 until it is answered."""

    started: float = field(default_factory=time.perf_counter)
    status: int = 0


@dataclass(slots=True)
class Incoming:
    """A body on its way."""

    is_read: bool = False


class Observed:
    """The outermost layer: counts and logs each request, and answers what nobody foresaw."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange()

        async def observed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, observed_send)
        except Exception as error:
            answer = failure(Request(scope), error)
            if exchange.status:
                raise
            await answer(scope, receive, observed_send)
        finally:
            self._observe(scope, exchange)

    def _observe(self, scope: Scope, exchange: Exchange) -> None:
        seconds = time.perf_counter() - exchange.started
        method, status = scope["method"], exchange.status or 500
        route = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.count_request(method, route, status=status, seconds=seconds)
        if scope["path"] not in QUIET:
            structlog.get_logger().info(
                "request.answered",
                method=method,
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000.0, 1),
            )


class Lingering:
    """Ends the connection of a request whose body was not read, after the answer had its time.

    A socket that is closed with bytes still coming in is reset, and a reset takes the answer with
    it. So what still comes is thrown away, for `LINGER_S` at most.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if "transfer-encoding" not in headers and headers.get("content-length", "0") == "0":
            await self._app(scope, receive, send)
            return
        incoming = Incoming()

        async def noting_receive() -> Message:
            message = await receive()
            incoming.is_read = not message.get("more_body", False)
            return message

        async def lingering_send(message: Message) -> None:
            if incoming.is_read:
                await send(message)
            elif message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
                await send(message)
            elif message.get("more_body", False):
                await send(message)
            else:
                await send({**message, "more_body": True})
                await _drained(noting_receive, incoming)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, noting_receive, lingering_send)


async def _drained(receive: Receive, incoming: Incoming) -> None:
    with anyio.move_on_after(LINGER_S):
        while not incoming.is_read:
            await receive()
