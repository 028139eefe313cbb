"""An archive on a disk: a folder whose files somebody else named."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from service.adapters import archive_refusals as refusals
from service.adapters.folder_files import Root, partial_file, sync_folder, walk
from service.adapters.objects import checked_key
from service.core.archive import ArchivedObject, Removal
from service.core.errors import ObjectRejected

NO_SUCH_FILE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
FORBIDDEN = {errno.EACCES, errno.EPERM}
NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}

AS_IT_LIES = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""No link is followed, and a pipe that took a file's place is not waited for."""


@dataclass(frozen=True, slots=True)
class FolderArchive:
    """An `Archive` whose keys are paths below `folder`; links are neither listed nor read.

    An ETag is size and time of the last change, to the nanosecond. There are no versions, and
    media types are not kept. The first `create` makes the folder.
    """

    folder: Path

    def objects(self, prefix: str = "", *, after: str = "") -> Iterator[ArchivedObject]:
        """As the port says. A folder below that may not be read comes as a key with its slash.

        So nothing is left out unseen: to read that is `object.access_denied`.
        """
        with self._place.outage("list"):
            self._place.require()
            for key, status in walk(self.folder, prefix=prefix, after=after):
                yield self._archived(key, status)

    def find(self, key: str, *, version_id: str = "") -> ArchivedObject | None:
        path = self._path(key)
        if version_id:
            return None
        with refusals.none_where_gone(), self._refusals("look up", key):
            status = path.lstat()
            return self._archived(key, status) if S_ISREG(status.st_mode) else None
        return None

    def read(self, found: ArchivedObject) -> bytes:
        """As the port says; that it changes while it is read is `object.changed` too."""
        if found.version_id:
            raise refusals.gone(found.location)
        if found.key.endswith("/"):
            raise refusals.denied("list", found.location, os.strerror(errno.EACCES))
        path = self._path(found.key)
        with (
            self._refusals("read", found.key),
            os.fdopen(os.open(path, AS_IT_LIES), "rb") as file,
        ):
            _require_unchanged(found, os.fstat(file.fileno()))
            content = file.read()
            _require_unchanged(found, os.fstat(file.fileno()))
            return content

    def create(
        self,
        key: str,
        content: bytes,
        *,
        media_type: str,  # noqa: ARG002 - the port names it
        read_back: bool = True,
    ) -> None:
        """As the port says, and durable: file, name and new folders are synced to the disk."""
        path = self._path(key)
        with self._refusals("write", key):
            if self._holds(path, key, content):
                return
            is_new = self._written(path, key, content)
            if not is_new:
                kept = self._holds(path, key, content)
            else:
                kept = not read_back or path.read_bytes() == content
        if not kept:
            raise refusals.other_bytes_came_back(self._location(key))

    def delete(self, found: ArchivedObject) -> Removal:
        path = self._path(found.key)
        with refusals.none_where_gone(), self._refusals("delete", found.key):
            _require_unchanged(found, path.lstat())
            path.unlink()  # no file system can be asked to do both in one step
            sync_folder(path.parent)
        return Removal.GONE

    @property
    def _place(self) -> Root:
        return Root(self.folder, named_by="the job's address")

    def _path(self, key: str) -> Path:
        try:
            return self.folder / checked_key(key)
        except ValueError as error:
            raise refusals.unaddressable(self._location(key), error) from error

    def _location(self, key: str) -> str:
        return f"{self._root}/{key}"

    @property
    def _root(self) -> str:
        return f"file://{str(self.folder).removesuffix('/')}"

    def _holds(self, path: Path, key: str, content: bytes) -> bool:
        """False where there is nothing; raises `object.exists` where there is something else."""
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        as_long = S_ISREG(status.st_mode) and status.st_size == len(content)
        if not as_long or path.read_bytes() != content:
            raise refusals.exists(self._location(key))
        return True

    def _written(self, path: Path, key: str, content: bytes) -> bool:
        """False where somebody else was first."""
        try:
            with partial_file(path, content) as partial:
                return _named(partial, path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            why = "a part of it is a file already"
            raise refusals.unaddressable(self._location(key), why) from error

    @contextmanager
    def _refusals(self, task: str, key: str) -> Iterator[None]:
        """What is wrong with this file alone; all else is the whole folder's."""
        with self._place.outage(f"{task} {key!r}"):
            try:
                yield
            except OSError as error:
                refusal = self._refusal(task, self._location(key), error)
                if refusal is None:
                    raise
                raise refusal from error

    def _refusal(self, task: str, location: str, error: OSError) -> ObjectRejected | None:
        why = os.strerror(error.errno or 0)
        if error.errno in FORBIDDEN:
            return refusals.denied(task, location, why)
        if error.errno == errno.ENAMETOOLONG:
            return refusals.unaddressable(location, why)
        if error.errno == errno.EIO and task == "read":
            return refusals.unreadable(location, why)
        if error.errno not in NO_SUCH_FILE:
            return None
        self._place.require()
        return refusals.gone(location)

    def _archived(self, key: str, status: os.stat_result) -> ArchivedObject:
        return ArchivedObject(
            self._root, key, status.st_size, _etag(status), modified_at=_moment(status)
        )


def _etag(status: os.stat_result) -> str:
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


def _moment(status: os.stat_result) -> datetime | None:
    """None for a time that the calendar has no year for; file systems take any."""
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _require_unchanged(found: ArchivedObject, status: os.stat_result) -> None:
    etag = _etag(status)
    if (status.st_size, etag) != (found.bytes, found.etag):
        raise refusals.changed(found, refusals.described(status.st_size, etag))


def _named(partial: Path, path: Path) -> bool:
    """Gives the file its name, unless something has it: then False."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        # A file system without links knows no other way to name a file just once. Of two writers
        # in the very same moment the later wins here; both compare what they read back.
        if os.path.lexists(path):
            return False
        partial.replace(path)
    return True
