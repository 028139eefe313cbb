"""What can be wrong with one object of an archive, in the same words whatever the archive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from service.core.archive import ArchivedObject
from service.core.errors import ObjectRejected, Unavailable

ESCAPED = re.compile(r"\\x[0-9a-f]{2}")
"""How a listing shows what is no text: a file's name that is not UTF-8, a NUL in a key."""


def gone(location: str) -> ObjectRejected:
    """Also for what a listing could show, but nobody can ask for by what it showed."""
    if ESCAPED.search(location):
        return unaddressable(location, "its name is no plain text; rename it")
    return ObjectRejected(
        "object.gone", f"there is no {location!r}, or no longer; leave it out, or put it back"
    )


def changed(found: ArchivedObject, now: str) -> ObjectRejected:
    return ObjectRejected(
        "object.changed",
        f"{found.location!r} had {described(found.bytes, found.etag)} when it was listed, and has "
        f"{now} now: nothing was done with it; a new job takes it as it is",
    )


def described(size: int | None, etag: str | None) -> str:
    return f"{size} bytes and the ETag {etag}"


def exists(location: str) -> ObjectRejected:
    return ObjectRejected(
        "object.exists",
        f"{location!r} is there already with other content, and is never overwritten: move it, "
        "or name another destination",
    )


def denied(task: str, location: str, why: str) -> ObjectRejected:
    return ObjectRejected(
        "object.access_denied",
        f"could not {task} {location!r} ({why}): let this service's account do that",
    )


def unreadable(location: str, why: str) -> ObjectRejected:
    return ObjectRejected(
        "object.unreadable", f"could not read {location!r} ({why}): check the storage under it"
    )


def unaddressable(location: str, why: object) -> ObjectRejected:
    return ObjectRejected(
        "object.unaddressable", f"no object can be asked for by the name {location!r}: {why}"
    )


def other_bytes_came_back(location: str) -> Unavailable:
    return Unavailable(
        "store.unavailable",
        f"{location!r} was written, and other bytes were read back: check the network and the "
        "storage there",
    )


@contextmanager
def none_where_gone() -> Iterator[None]:
    """Goes on behind the block where there is no such object."""
    try:
        yield
    except ObjectRejected as error:
        if error.code != "object.gone":
            raise
