"""Stored objects over HTTP (RFC 9110): conditional requests and single ranges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from service.api.problems import HttpRefusal

SINGLE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Served:
    """An object as the record tells of it."""

    chunks: Callable[[ByteRange], Iterator[bytes]]
    """Some of its bytes, read as they are asked for."""
    sha256: str
    bytes: int
    media_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class ByteRange:
    start: int
    length: int


def object_response(request: Request, served: Served) -> Response:
    """200, 206 or 304 by the request's headers; nothing is read for a HEAD or a 304.

    Raises `HttpRefusal` `range.unsatisfiable` and, before anything is sent, `Unavailable`.
    """
    headers = _headers(served)
    if _is_known(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    wanted = _range(request, served, etag=headers["ETag"])
    status, part = (200, ByteRange(0, served.bytes)) if wanted is None else (206, wanted)
    if wanted is not None:
        last = part.start + part.length - 1
        headers["Content-Range"] = f"bytes {part.start}-{last}/{served.bytes}"
    headers["Content-Length"] = str(part.length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=served.media_type)
    chunks = _begun(served.chunks(part))
    return StreamingResponse(chunks, status, headers=headers, media_type=served.media_type)


def _headers(served: Served) -> dict[str, str]:
    """A browser may keep the bytes, but asks each time whether they are still the photo's.

    A photo can be restored or deleted under the same address; asking costs the store nothing.
    """
    return {
        "ETag": f'"{served.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'inline; filename="{served.filename}"',
    }


def _is_known(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in known or etag in known


def _range(request: Request, served: Served, *, etag: str) -> ByteRange | None:
    """None for the whole: no range, one that can't be read, several, or one of other bytes."""
    if request.headers.get("if-range", etag) != etag:
        return None
    found = SINGLE_RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or found[0] == "bytes=-":
        return None
    if not found[1]:
        start, end = max(0, served.bytes - int(found[2])), served.bytes
    else:
        start, end = int(found[1]), min(served.bytes, int(found[2] or served.bytes) + 1)
        if found[2] and int(found[2]) < start:
            return None
    if start >= served.bytes:
        raise HttpRefusal(
            "range.unsatisfiable",
            f"the object has {served.bytes} bytes; ask for some of those",
            headers={"Content-Range": f"bytes */{served.bytes}"},
        )
    return ByteRange(start, end - start)


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks, the first of them already read: what fails, fails before the answer."""
    return chain([next(chunks)], chunks)
