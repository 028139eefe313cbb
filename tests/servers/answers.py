"""An HTTP server that says what a test wants it to say: what no real S3 server does on demand."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


def answer(status: str, body: bytes, **headers: str) -> bytes:
    """One HTTP response, of HTML unless the headers say otherwise."""
    described = {
        "Content-Type": "text/html",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in described.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def md5(content: bytes) -> str:
    """As an ETag."""
    return f'"{hashlib.md5(content).hexdigest()}"'


def address_of(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def answering_server(*answers: bytes) -> Iterator[str]:
    """Gives each request the next answer, in the end always the last, and hangs up."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=64) as listener,
        ThreadPoolExecutor(1) as thread,
    ):
        thread.submit(_answer_all, listener, list(answers))
        try:
            yield address_of(listener)
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes its accept


def _answer_all(listener: socket.socket, answers: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            _read_request(connection)
            connection.sendall(answers.pop(0) if len(answers) > 1 else answers[0])


def _read_request(connection: socket.socket) -> None:
    """All of it, as hanging up before would reset the connection, and the answer with it."""
    head, length = b"", 0
    while b"\r\n\r\n" not in head and (received := connection.recv(65_536)):
        head += received
    head, _, body = head.partition(b"\r\n\r\n")
    if announced := re.search(rb"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE):
        length = int(announced[1])
    left = length - len(body)
    while left > 0 and (received := connection.recv(65_536)):
        left -= len(received)
