"""Bodies come through the server's own HTTP protocol as they were sent, however they are cut."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from tests.serving import ANSWER_S, served


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The address of what answers with the body that it was sent."""
    app = FastAPI()

    async def echoed(request: Request) -> Response:
        return Response(b"".join([chunk async for chunk in request.stream()]))

    app.add_api_route("/echo", echoed, methods=["POST"])
    with served(app) as url:
        yield url


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_body_of_any_length_comes_whole(echo: str, size: int) -> None:
    body = os.urandom(size)

    assert httpx.post(f"{echo}/echo", content=body, timeout=ANSWER_S).content == body


def test_bodies_over_one_connection_are_kept_apart(echo: str) -> None:
    bodies = [os.urandom(size) for size in (300_000, 0, 5, 300_000)]

    with httpx.Client(base_url=echo, timeout=ANSWER_S) as client:
        answers = [client.post("/echo", content=body).content for body in bodies]

    assert answers == bodies


def test_many_small_chunks_that_come_at_once_are_put_together_in_order(echo: str) -> None:
    chunks = [b"%05d" % number for number in range(20_000)]
    framed = b"".join(b"5\r\n" + chunk + b"\r\n" for chunk in chunks) + b"0\r\n\r\n"
    head = (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    )

    host, _, port = echo.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=ANSWER_S) as connection:
        connection.sendall(head + framed)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.partition(b"\r\n\r\n")[2] == b"".join(chunks)
