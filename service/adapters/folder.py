"""Objects as files of a folder: the embedded default, and archives on a disk."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_ISREG
from uuid import uuid4

from service.adapters.objects import (
    OWN_PREFIX,
    checked_key,
    checked_range,
    is_own,
    round_trip,
)
from service.core.errors import Unavailable
from service.ports import StoredObject

LEFTOVER_AGE_S = 86_400.0
"""A file that was being written a day ago belongs to a writer that is gone."""

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, slots=True)
class FolderStore:
    """An `ObjectStore` whose keys are paths below `root`; the first put creates the folder.

    A root that is not there is an outage, never a store without objects: a disk that is not
    mounted must not look as if all photos were lost. Links are not followed. What a file system
    cannot do, a key "a" beside a key "a/b", raises `Unavailable`. Media types are not kept.
    """

    root: Path

    def put(self, key: str, content: bytes, *, media_type: str) -> None:  # noqa: ARG002 - the port names it
        """Durable once it returns: file, name and new folders are synced to the disk."""
        path = self.root / checked_key(key)
        partial = path.with_name(f"{OWN_PREFIX}{uuid4().hex}.part")
        with self._outage(f"write {key!r}"):
            _create_folder(path.parent)
            try:
                _write_synced(partial, content)
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)

    def get(self, key: str) -> bytes | None:
        path = self.root / checked_key(key)
        with self._outage(f"read {key!r}"), self._none_where_missing():
            return path.read_bytes()
        return None

    def get_range(self, key: str, *, start: int, length: int) -> bytes | None:
        """As the port says; a range that begins at the object's end or beyond is empty."""
        checked_range(start, length)
        path = self.root / checked_key(key)
        with self._outage(f"read {key!r}"), self._none_where_missing(), path.open("rb") as file:
            file.seek(start)
            return file.read(length)
        return None

    def head(self, key: str) -> StoredObject | None:
        path = self.root / checked_key(key)
        with self._outage(f"look up {key!r}"), self._none_where_missing():
            status = path.stat()
            return _stored(key, status) if S_ISREG(status.st_mode) else None
        return None

    def delete(self, key: str) -> None:
        path = self.root / checked_key(key)
        with self._outage(f"delete {key!r}"), self._none_where_missing():
            path.unlink()
            _sync_folder(path.parent)

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """As the port says, holding one folder's names at a time; clears what crashes left."""
        with self._outage("list"):
            self._require_root()
            yield from _walk(self.root, "", prefix=prefix)

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:  # noqa: ARG002 - the port names it
        """None: nothing serves a folder but this program."""
        return None

    def check(self) -> None:
        round_trip(self)

    @contextmanager
    def _none_where_missing(self) -> Iterator[None]:
        """Goes on behind the block where the store is there and the file is not."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._require_root()

    def _require_root(self) -> None:
        if not self.root.is_dir():
            raise Unavailable(
                "store.unavailable",
                f"the object folder {self.root} is not there: mount or create it, "
                "or correct METERCROP_STORE_URL",
            )

    @contextmanager
    def _outage(self, task: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                "store.unavailable",
                f"could not {task} in the object folder {self.root}: "
                f"{error.strerror or error}; {_advice(error)}",
            ) from error


def _advice(error: OSError) -> str:
    if error.errno in NO_ROOM:
        return "make room there, or raise the quota"
    if error.errno in NO_PERMISSION:
        return f"let user {os.geteuid()} read and write it, or correct METERCROP_STORE_URL"
    return "check the disk, or correct METERCROP_STORE_URL"


def _create_folder(folder: Path) -> None:
    """Also syncs what names it: else a power cut takes a synced file with its folder's name."""
    if folder.is_dir():
        return
    _create_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems sync names by themselves
            raise
    finally:
        os.close(descriptor)


def _walk(folder: Path, key_of_folder: str, *, prefix: str) -> Iterator[StoredObject]:
    """Sorted by key: a folder sorts with the slash that follows its name in the keys below it."""
    with os.scandir(folder) as entries:
        found = {entry.name + "/" * entry.is_dir(follow_symlinks=False): entry for entry in entries}
    for name, entry in sorted(found.items()):
        key = key_of_folder + name
        if is_own(name):
            _remove_leftover(entry)
        elif name.endswith("/"):
            if key.startswith(prefix) or prefix.startswith(key):
                yield from _walk(folder / name, key, prefix=prefix)
        elif key.startswith(prefix) and entry.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):  # deleted since the folder was read
                yield _stored(key, entry.stat(follow_symlinks=False))


def _remove_leftover(entry: os.DirEntry[str]) -> None:
    """Nothing is lost where that fails: an archive may be mounted read-only."""
    with suppress(OSError):
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_AGE_S:
            Path(entry.path).unlink()


def _stored(key: str, status: os.stat_result) -> StoredObject:
    return StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
