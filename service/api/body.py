"""A photo's body as it comes in: counted as it streams, refused as soon as it is too much."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from time import monotonic

import anyio
from fastapi import Request
from python_multipart.multipart import parse_options_header

from service.api.admission import busy
from service.api.fields import joined
from service.api.form import Form
from service.core.budget import Budget
from service.core.errors import PhotoRejected, RequestRejected

FORM_OVERHEAD_BYTES = 1_000_000
"""What a form may hold beside its photo: other fields, boundaries and headers."""
SILENCE_S = 30.0
"""How long a body may pause; a slow client is fine, a silent one holds memory."""
GRAIN = 1 / 16
"""Of that, the alarm may come so much later: to put it off by each chunk takes longer than
to receive the chunk."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A photo's bytes, and what was said about it."""

    content: bytes
    fields: dict[str, str]


@asynccontextmanager
async def received(
    request: Request, *, max_bytes: int, memory: Budget, silence_s: float = SILENCE_S
) -> AsyncIterator[Submission]:
    """The photo of a request, raw or in a form; `memory` holds its bytes until the block ends.

    Raises `PhotoRejected` `photo.too_large` or `photo.unsupported`, `RequestRejected` and, where
    other bodies fill the memory, `Unavailable` `service.busy`.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    said = dict(request.query_params.multi_items())
    if len(said) != len(request.query_params.multi_items()):
        raise RequestRejected("field.invalid", "a field is given twice in the address")
    body = Body(request, max_bytes=max_bytes, memory=memory, silence_s=silence_s)
    try:
        if kind == b"multipart/form-data":
            content, fields = await _form(body, options.get(b"boundary"), max_bytes=max_bytes)
            yield Submission(content, joined(said, fields))
        elif not kind or kind.startswith(b"image/") or kind == b"application/octet-stream":
            yield Submission(await _raw(body), said)
        else:
            raise PhotoRejected(
                "photo.unsupported",
                f"a body of type {kind.decode('latin-1')[:60]!r} holds no photo; send the photo "
                "itself with its own type, or a multipart/form-data with a part named file",
            )
    finally:
        memory.give_back(body.held)


class Body:
    """The chunks of one request; `held` is what they took of the memory budget."""

    def __init__(
        self, request: Request, *, max_bytes: int, memory: Budget, silence_s: float
    ) -> None:
        self.held = 0
        self._silence_s = silence_s
        self._request = request
        self._max_bytes = max_bytes
        self._memory = memory

    async def read(self, take: Callable[[bytes], None], *, overhead: int = 0) -> None:
        """Gives each chunk to `take` as it comes; one alarm is put off by all of them."""
        limit = self._max_bytes + overhead
        self._refuse_announced(limit)
        grain_s = self._silence_s * GRAIN
        put_off = monotonic()
        try:
            with anyio.fail_after(self._silence_s + grain_s) as alarm:
                async with aclosing(self._request.stream()) as stream:
                    async for chunk in stream:
                        if (now := monotonic()) > put_off + grain_s:
                            alarm.deadline += now - put_off
                            put_off = now
                        self._hold(len(chunk), limit)
                        take(chunk)
        except TimeoutError as error:
            raise RequestRejected(
                "request.timeout",
                f"nothing of the body came for {self._silence_s:g} s; send it again",
            ) from error

    def _hold(self, size: int, limit: int) -> None:
        if self.held + size > limit:
            raise too_large(self._max_bytes)
        if not self._memory.take(size):
            raise busy("other photos that are being received fill the memory")
        self.held += size

    def _refuse_announced(self, limit: int) -> None:
        """What the request says of its length is enough to refuse it, never to trust it."""
        announced = self._request.headers.get("content-length", "0")
        if not announced.isdecimal():
            raise RequestRejected("request.invalid", "the Content-Length is no number")
        if int(announced) > limit:
            raise too_large(self._max_bytes)
        if self._memory.held > 0 and self._memory.held + int(announced) > self._memory.limit:
            raise busy("other photos that are being received fill the memory")


async def small_body(request: Request, *, max_bytes: int, memory: Budget, instead: str) -> bytes:
    """All of a body that holds no photo.

    Raises `RequestRejected` `request.timeout` and `request.too_large`, which says what to do
    `instead`, and `Unavailable` `service.busy`.
    """
    body = Body(request, max_bytes=max_bytes, memory=memory, silence_s=SILENCE_S)
    try:
        return await _raw(body)
    except PhotoRejected as error:
        raise RequestRejected(
            "request.too_large", f"at most {max_bytes} bytes are read here; {instead}"
        ) from error
    finally:
        memory.give_back(body.held)


def too_large(max_bytes: int) -> PhotoRejected:
    return PhotoRejected(
        "photo.too_large",
        f"the photo has more than the {max_bytes} bytes of METERCROP_MAX_BYTES; send a smaller one",
    )


async def _raw(body: Body) -> bytes:
    chunks: list[bytes] = []
    await body.read(chunks.append)
    return b"".join(chunks)


async def _form(
    body: Body, boundary: bytes | None, *, max_bytes: int
) -> tuple[bytes, dict[str, str]]:
    if not boundary:
        raise RequestRejected("request.invalid", "the form's Content-Type names no boundary")
    form = Form(boundary, max_bytes=max_bytes)
    await body.read(form.write, overhead=FORM_OVERHEAD_BYTES)
    return form.finished()
