"""How a body comes in: what it may take of the memory, and how long it may be silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message

from service.api.body import received
from service.core.budget import Budget
from service.core.errors import MetercropError, PhotoRejected, RequestRejected, Unavailable

BOUNDARY = "edge"
HEAD = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="m.jpg"\r\n\r\n'
TAIL = b"\r\n--edge--\r\n"


def request_of(
    chunks: Sequence[bytes],
    *,
    ends: bool = True,
    media_type: str = "image/jpeg",
    length: str = "",
    pause_s: float = 0.0,
) -> Request:
    """One whose body comes in these chunks; a body that does not end is silent after them."""
    messages = _messages(chunks, ends=ends)

    async def receive() -> Message:
        await asyncio.sleep(pause_s)
        return await anext(messages)

    headers = [(b"content-type", media_type.encode())]
    if length:
        headers.append((b"content-length", length.encode()))
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    return Request(scope, receive)


async def content_of(
    request: Request, memory: Budget, *, max_bytes: int = 1_000, silence_s: float = 60.0
) -> bytes:
    async with received(
        request, max_bytes=max_bytes, memory=memory, silence_s=silence_s
    ) as submission:
        assert memory.held >= len(submission.content)
        return submission.content


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
def test_form_is_read_alike_however_it_is_cut(size: int) -> None:
    content = bytes(range(256)) * 3 + b"\r\n--edg not the edge\r\n-"
    form = HEAD + content + TAIL
    chunks = [form[at : at + size] for at in range(0, len(form), size)]
    request = request_of(chunks, media_type=f"multipart/form-data; boundary={BOUNDARY}")

    assert asyncio.run(content_of(request, Budget(2_000_000))) == content


def test_memory_is_given_back_whatever_happens() -> None:
    memory = Budget(2_000)
    cases: list[tuple[Request, type[Exception]]] = [
        (request_of([b"x" * 600, b"x" * 600]), PhotoRejected),
        (request_of([b"x" * 600], media_type="multipart/form-data; boundary=b"), RequestRejected),
        (request_of([b"x" * 600, b""], ends=False), RequestRejected),
        (request_of([b"x" * 600, b"<gone>"]), ClientDisconnect),
    ]

    for request, failure in cases:
        with pytest.raises(failure):
            asyncio.run(content_of(request, memory, silence_s=0.05))
        assert memory.held == 0
    assert asyncio.run(content_of(request_of([b"photo"]), memory)) == b"photo"
    assert memory.held == 0


def test_body_that_falls_silent_is_given_up() -> None:
    request = request_of([b"begun"], ends=False)

    with pytest.raises(RequestRejected) as refusal:
        asyncio.run(content_of(request, Budget(1_000), silence_s=0.05))

    assert refusal.value.code == "request.timeout"


def test_body_that_pauses_often_but_never_for_long_is_read_whole() -> None:
    request = request_of([b"x"] * 8, pause_s=0.1)

    assert asyncio.run(content_of(request, Budget(1_000), silence_s=0.4)) == b"x" * 8


@pytest.mark.parametrize("length", ["", "300"])
def test_body_that_finds_the_memory_full_is_refused_for_now(length: str) -> None:
    memory = Budget(1_000)
    memory.take(800)

    with pytest.raises(Unavailable) as refusal:
        asyncio.run(content_of(request_of([b"x" * 150] * 2, length=length), memory))

    assert refusal.value.code == "service.busy"
    assert memory.held == 800


def test_announced_length_is_refused_before_a_byte_is_read() -> None:
    request = request_of([], ends=False, length="1001")

    with pytest.raises(PhotoRejected) as refusal:
        asyncio.run(content_of(request, Budget(5_000)))

    assert refusal.value.code == "photo.too_large"


def test_announced_length_that_is_no_number_is_malformed() -> None:
    with pytest.raises(MetercropError) as refusal:
        asyncio.run(content_of(request_of([b"x"], length="many"), Budget(5_000)))

    assert refusal.value.code == "request.invalid"


async def _messages(chunks: Sequence[bytes], *, ends: bool) -> AsyncIterator[Message]:
    for chunk in chunks:
        if chunk == b"<gone>":
            yield {"type": "http.disconnect"}
        yield {"type": "http.request", "body": chunk, "more_body": True}
    if not ends:
        await asyncio.Event().wait()
    yield {"type": "http.request", "body": b"", "more_body": False}
