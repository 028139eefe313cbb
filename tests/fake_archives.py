"""Archives for tests of what few servers do: versions, delete markers, locks, an outage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from service.adapters.archives import OpenedArchives
from service.core.archive import ArchivedObject, Removal
from service.core.errors import ObjectRejected, Unavailable
from service.core.photo import sha256_of
from service.ports import Archive, ObjectStore, StoredObject


@dataclass(frozen=True, slots=True)
class Version:
    """`content` is None in a delete marker."""

    id: str
    content: bytes | None


@dataclass(slots=True)
class FakeBucket:
    """An `Archive` in memory, with versions where it is told so."""

    root: str
    versioned: bool = False
    available: bool = True
    locked: set[str] = field(default_factory=set)
    """Keys under Object Lock."""
    forbidden: set[str] = field(default_factory=set)
    """Keys that may be read, but not deleted."""
    objects_by_key: dict[str, list[Version]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: str, content: bytes) -> ArchivedObject:
        """As its owner does, over whatever is there."""
        self._add(key, content)
        found = self.find(key)
        assert found is not None
        return found

    def objects(self, prefix: str = "", *, after: str = "") -> Iterator[ArchivedObject]:
        for key in sorted(self.objects_by_key):
            found = self.find(key)
            if found is not None and key.startswith(prefix) and key > after:
                yield found

    def find(self, key: str, *, version_id: str = "") -> ArchivedObject | None:
        version = self._version(key, version_id)
        if version is None or version.content is None:
            return None
        etag = sha256_of(version.content)[:32]
        return ArchivedObject(self.root, key, len(version.content), etag, version.id)

    def read(self, found: ArchivedObject) -> bytes:
        now = self._unchanged(found)
        if now is None or now.content is None:
            raise ObjectRejected("object.gone", f"{found.location} is gone")
        return now.content

    def create(
        self,
        key: str,
        content: bytes,
        *,
        media_type: str,  # noqa: ARG002 - the port names it
        read_back: bool = True,  # noqa: ARG002 - what is in memory is what was put there
    ) -> None:
        there = self._version(key, "")
        if there is not None and there.content not in (None, content):
            raise ObjectRejected("object.exists", f"{key} is there already")
        if there is None or there.content is None:
            self._add(key, content)

    def delete(self, found: ArchivedObject) -> Removal:
        if self._unchanged(found) is None:
            return Removal.GONE
        if found.key in self.forbidden:
            raise ObjectRejected("object.access_denied", f"{found.location} may not be deleted")
        if found.key in self.locked:
            return Removal.LOCKED
        with self.lock:
            if self.versioned:
                self.objects_by_key[found.key].append(Version(f"v{next(self.numbers)}", None))
                return Removal.MARKED
            self.objects_by_key.pop(found.key, None)
        return Removal.GONE

    def _add(self, key: str, content: bytes) -> None:
        with self.lock:
            version = Version(f"v{next(self.numbers)}" if self.versioned else "", content)
            earlier = self.objects_by_key.get(key, []) if self.versioned else []
            self.objects_by_key[key] = [*earlier, version]

    def _version(self, key: str, version_id: str) -> Version | None:
        if not self.available:
            raise Unavailable("store.unavailable", f"{self.root} was told to be unavailable")
        with self.lock:
            versions = self.objects_by_key.get(key, [])
            if not version_id:
                return versions[-1] if versions else None
            return next((each for each in versions if each.id == version_id), None)

    def _unchanged(self, found: ArchivedObject) -> Version | None:
        now = self.find(found.key, version_id=found.version_id)
        if now is not None and (now.bytes, now.etag) != (found.bytes, found.etag):
            raise ObjectRejected("object.changed", f"{found.location} has changed")
        return self._version(found.key, found.version_id)


@dataclass(frozen=True, slots=True)
class FakeBucketStore:
    """The same bucket as an `ObjectStore`."""

    bucket: FakeBucket

    def put(self, key: str, content: bytes, *, media_type: str) -> None:  # noqa: ARG002 - the port names it
        self.bucket.put(key, content)

    def get(self, key: str) -> bytes | None:
        found = self.bucket.find(key)
        return None if found is None else self.bucket.read(found)

    def get_range(self, key: str, *, start: int, length: int) -> bytes | None:
        content = self.get(key)
        return None if content is None else content[start : start + length]

    def head(self, key: str) -> StoredObject | None:
        content = self.get(key)
        return None if content is None else StoredObject(key, len(content), datetime.now(UTC))

    def delete(self, key: str) -> None:
        found = self.bucket.find(key)
        if found is not None:
            try:
                self.bucket.delete(found)
            except ObjectRejected as error:
                raise Unavailable("store.unavailable", str(error)) from error

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        for found in self.bucket.objects(prefix):
            yield StoredObject(found.key, found.bytes, datetime.now(UTC))

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:  # noqa: ARG002 - the port names it
        return None

    def check(self) -> None:
        """It is always there."""


class FakeArchives(OpenedArchives):
    """Folders are real ones, buckets are not."""

    def __init__(self) -> None:
        super().__init__(None)
        self.buckets: dict[str, FakeBucket] = {}

    def opened(self, root: str) -> Archive:
        return self.bucket(root) if root.startswith("s3://") else super().opened(root)

    def store(self, root: str) -> ObjectStore:
        if root.startswith("s3://"):
            return FakeBucketStore(self.bucket(root))
        return super().store(root)

    def bucket(self, root: str) -> FakeBucket:
        return self.buckets.setdefault(root, FakeBucket(root))
