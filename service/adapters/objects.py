"""What all object stores agree on: keys they take, keys they hide, how they prove to work."""

from __future__ import annotations

from uuid import uuid4

from service.core.errors import Unavailable
from service.ports import ObjectStore

OWN_PREFIX = ".metercrop-"
"""A segment that begins so is a store's own (a file being written, a check): it is never listed."""

MAX_KEY_BYTES = 1024  # S3's limit
MAX_SEGMENT_BYTES = 255  # that of file systems


def checked_key(key: str) -> str:
    """The key, if every kind of store can hold it; raises ValueError saying why not."""
    segments = key.split("/")
    if "" in segments:
        raise ValueError(f"a key is not empty and has no empty segment, this one has: {key!r}")
    if "." in segments or ".." in segments:
        raise ValueError(f"a key names one place, without . and .. segments: {key!r}")
    if "\0" in key:
        raise ValueError(f"a key has no NUL: {key!r}")
    if max(len(segment.encode()) for segment in segments) > MAX_SEGMENT_BYTES:
        raise ValueError(f"a key's segment has at most {MAX_SEGMENT_BYTES} bytes: {key!r}")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError(f"a key has at most {MAX_KEY_BYTES} bytes: {key!r}")
    return key


def checked_range(start: int, length: int) -> None:
    if start < 0 or length < 0:
        raise ValueError(f"a range has no negative start or length: {start=}, {length=}")


def is_own(key: str) -> bool:
    """Whether it is a store's own, and none of its user's objects."""
    return any(segment.startswith(OWN_PREFIX) for segment in key.split("/"))


def round_trip(store: ObjectStore) -> None:
    """Writes an object, reads it back, deletes it; raises `Unavailable` where that fails."""
    key, content = f"{OWN_PREFIX}check-{uuid4().hex}", uuid4().bytes
    store.put(key, content, media_type="application/octet-stream")
    try:
        returned = store.get(key)
    finally:
        store.delete(key)
    if returned != content:
        raise Unavailable(
            "store.unavailable",
            "the object store returned other bytes than it was given; check the storage under it",
        )
