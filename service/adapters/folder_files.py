"""What folder stores and folder archives share: durable files, and listings in key order."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from uuid import uuid4

from service.adapters.objects import OWN_PREFIX, is_own
from service.core.errors import Unavailable

LEFTOVER_AGE_S = 86_400.0
"""A file that was being written a day ago belongs to a writer that is gone."""

NAMES_AT_ONCE = 100_000
"""Some 30 MB; a folder of more names is read once for each so many of them."""

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
READABLE = 0o666
"""By whom, the process's umask says."""

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass(frozen=True, slots=True)
class Root:
    """A folder, and what its user called it by, for advice."""

    folder: Path
    named_by: str

    def require(self) -> None:
        """Raises `Unavailable` where it is not there, as when a disk is not mounted."""
        if not self.folder.is_dir():
            raise Unavailable(
                "store.unavailable",
                f"the folder {self.folder} is not there: mount or create it, "
                f"or correct {self.named_by}",
            )

    @contextmanager
    def outage(self, task: str) -> Iterator[None]:
        """What the file system refuses becomes `Unavailable` with advice."""
        try:
            yield
        except OSError as error:
            raise Unavailable(
                "store.unavailable",
                f"could not {task} in the folder {self.folder}: "
                f"{error.strerror or error}; {self._advice(error)}",
            ) from error

    def _advice(self, error: OSError) -> str:
        if error.errno in NO_ROOM:
            return "make room there, or raise the quota"
        if error.errno in NO_PERMISSION:
            return f"let user {os.geteuid()} read and write it, or correct {self.named_by}"
        return f"check the disk, or correct {self.named_by}"


@contextmanager
def partial_file(path: Path, content: bytes) -> Iterator[Path]:
    """A whole and synced file beside `path`, to be given that name within the block.

    Its folder is made where it is missing, and synced behind the block.
    """
    partial = path.with_name(f"{OWN_PREFIX}{uuid4().hex}.part")
    descriptor = _new_file(partial)
    try:
        _write_synced(descriptor, content)
        yield partial
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems sync names by themselves
            raise
    finally:
        os.close(descriptor)


def walk(
    folder: Path,
    *,
    prefix: str = "",
    after: str = "",
    key_of_folder: str = "",
    names_at_once: int = NAMES_AT_ONCE,
) -> Iterator[tuple[str, os.stat_result]]:
    """Files below `folder` in key order, each with its status.

    A folder sorts with the slash that follows its name in the keys below it, and comes as such
    a key where it may not be read. Links are left out; what crashes left is cleared away.
    """

    def is_wanted(name: str) -> bool:
        key = key_of_folder + name
        if name.endswith("/"):
            ahead = key > after or after.startswith(key)
            return ahead and (key.startswith(prefix) or prefix.startswith(key))
        return key > after and key.startswith(prefix)

    for name, path in _sorted_names(folder, is_wanted, at_once=names_at_once):
        key = key_of_folder + name
        with suppress(FileNotFoundError, NotADirectoryError):  # gone since the folder was read
            status = path.lstat()
            if not name.endswith("/"):
                yield key, status
                continue
            try:
                yield from walk(
                    path,
                    prefix=prefix,
                    after=after,
                    key_of_folder=key,
                    names_at_once=names_at_once,
                )
            except PermissionError:
                if key != after:
                    yield key, status


def _sorted_names(
    folder: Path, is_wanted: Callable[[str], bool], *, at_once: int
) -> Iterator[tuple[str, Path]]:
    """Names as keys show them, in order; a large folder is read again for each part of them."""
    last = ("", "")
    while True:
        ahead = (pair for pair in _names(folder) if pair > last and is_wanted(pair[0]))
        part = nsmallest(at_once, ahead)
        for name, file_name in part:
            yield name, folder / file_name
        if len(part) < at_once:
            return
        last = part[-1]


def _names(folder: Path) -> Iterator[tuple[str, str]]:
    """Of files and folders, these with a slash, as text and as the file system has them."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if is_own(name):
                _remove_leftover(entry)
            elif entry.is_dir(follow_symlinks=False):
                yield f"{_text(name)}/", name
            elif entry.is_file(follow_symlinks=False):
                yield _text(name), name


def _text(name: str) -> str:
    """A name that is not UTF-8 is shown with escapes: no database would take it as it is."""
    if name.isascii():
        return name
    return os.fsencode(name).decode(errors="backslashreplace")


def _remove_leftover(entry: os.DirEntry[str]) -> None:
    """Nothing is lost where that fails: an archive may be mounted read-only."""
    with suppress(OSError):
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_AGE_S:
            Path(entry.path).unlink()


def _new_file(path: Path) -> int:
    """Open for writing. Its folder is there nearly always, so nobody looks first."""
    try:
        return os.open(path, NEW_FILE, mode=READABLE)
    except FileNotFoundError:
        _create_folder(path.parent)
        return os.open(path, NEW_FILE, mode=READABLE)


def _create_folder(folder: Path) -> None:
    """Also syncs what names it: else a power cut takes a synced file with its folder's name."""
    if folder.is_dir():
        return
    _create_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def _write_synced(descriptor: int, content: bytes) -> None:
    """Closes it in any case."""
    left = memoryview(content)
    try:
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
