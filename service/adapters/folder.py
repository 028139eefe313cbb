"""Objects as files of a folder: the embedded default, and archives on a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from errno import EACCES
from pathlib import Path
from stat import S_ISREG

from service.adapters.folder_files import Root, partial_file, sync_folder, walk
from service.adapters.objects import checked_key, checked_range, round_trip
from service.ports import StoredObject


@dataclass(frozen=True, slots=True)
class FolderStore:
    """An `ObjectStore` whose keys are paths below `root`; the first put creates the folder.

    A root that is not there is an outage, never a store without objects: a disk that is not
    mounted must not look as if all photos were lost. Links are not followed. What a file system
    cannot do, a key "a" beside a key "a/b", raises `Unavailable`. Media types are not kept.
    """

    root: Path
    named_by: str = "METERCROP_STORE_URL"
    """What its user set to name it, for advice."""

    def put(self, key: str, content: bytes, *, media_type: str) -> None:  # noqa: ARG002 - the port names it
        """Durable once it returns: file, name and new folders are synced to the disk."""
        path = self.root / checked_key(key)
        with self._place.outage(f"write {key!r}"), partial_file(path, content) as partial:
            partial.replace(path)

    def get(self, key: str) -> bytes | None:
        path = self.root / checked_key(key)
        with self._place.outage(f"read {key!r}"), self._none_where_missing():
            return path.read_bytes()
        return None

    def get_range(self, key: str, *, start: int, length: int) -> bytes | None:
        """As the port says; a range that begins at the object's end or beyond is empty."""
        checked_range(start, length)
        path = self.root / checked_key(key)
        with (
            self._place.outage(f"read {key!r}"),
            self._none_where_missing(),
            path.open("rb") as file,
        ):
            file.seek(start)
            return file.read(length)
        return None

    def head(self, key: str) -> StoredObject | None:
        path = self.root / checked_key(key)
        with self._place.outage(f"look up {key!r}"), self._none_where_missing():
            status = path.stat()
            return _stored(key, status) if S_ISREG(status.st_mode) else None
        return None

    def delete(self, key: str) -> None:
        path = self.root / checked_key(key)
        with self._place.outage(f"delete {key!r}"), self._none_where_missing():
            path.unlink()
            sync_folder(path.parent)

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """As the port says, in flat memory; clears what crashes left."""
        with self._place.outage("list"):
            self._place.require()
            for key, status in walk(self.root, prefix=prefix):
                if key.endswith("/"):
                    raise PermissionError(EACCES, os.strerror(EACCES))
                yield _stored(key, status)

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:  # noqa: ARG002 - the port names it
        """None: nothing serves a folder but this program."""
        return None

    def check(self) -> None:
        round_trip(self)

    @property
    def _place(self) -> Root:
        return Root(self.root, self.named_by)

    @contextmanager
    def _none_where_missing(self) -> Iterator[None]:
        """Goes on behind the block where the store is there and the file is not."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._place.require()


def _stored(key: str, status: os.stat_result) -> StoredObject:
    return StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
