"""The service's own store, and whatever archive a record points to, behind one `ObjectStore`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from service.adapters.archives import OpenedArchives
from service.core.archive import object_of
from service.core.record import is_address
from service.ports import ObjectStore, StoredObject


@dataclass(frozen=True, slots=True)
class AddressedStore:
    """An `ObjectStore` whose keys may be whole addresses such as `s3://bucket/meter.jpg`.

    To listing, check and `put` it is the own store alone: nothing is put over an archive's object.
    """

    own: ObjectStore
    archives: OpenedArchives

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        """Raises ValueError for an address."""
        if is_address(key):
            raise ValueError(f"an archive's object is created there, never put over: {key!r}")
        self.own.put(key, content, media_type=media_type)

    def get(self, key: str) -> bytes | None:
        store, name = self._place(key)
        return store.get(name)

    def get_range(self, key: str, *, start: int, length: int) -> bytes | None:
        store, name = self._place(key)
        return store.get_range(name, start=start, length=length)

    def head(self, key: str) -> StoredObject | None:
        """As the port says, under the key that was asked for."""
        store, name = self._place(key)
        found = store.head(name)
        return None if found is None else StoredObject(key, found.bytes, found.modified_at)

    def delete(self, key: str) -> None:
        store, name = self._place(key)
        store.delete(name)

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        return self.own.objects(prefix)

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:
        store, name = self._place(key)
        return store.presigned_url(name, expires_in=expires_in)

    def check(self) -> None:
        self.own.check()

    def _place(self, key: str) -> tuple[ObjectStore, str]:
        """The store that the key is in, and its name there."""
        if not is_address(key):
            return self.own, key
        root, name = object_of(key)
        return self.archives.store(root), name
