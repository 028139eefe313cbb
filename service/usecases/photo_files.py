"""Which files a list of paths means, and what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from service.core.errors import PhotoRejected
from service.core.photo import Limits


def photo_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and all files of the folders named, in order of their names.

    Hidden ones are left out of folders. A folder that can't be listed comes as itself, so that
    reading it fails where a photo would.
    """
    for path in paths:
        if path.is_dir():
            yield from _files_under(path)
        else:
            yield path


def content_of(path: Path, limits: Limits) -> bytes:
    """Raises `PhotoRejected` `photo.too_large` before anything is read, and `OSError`."""
    if path.is_dir():
        raise OSError("it is a folder that cannot be listed")
    size = path.stat().st_size
    if not path.is_file():
        raise OSError("it is no regular file")
    if size > limits.max_bytes:
        raise PhotoRejected(
            "photo.too_large",
            f"it has {size} bytes, more than the {limits.max_bytes} of METERCROP_MAX_BYTES",
        )
    return path.read_bytes()


def _files_under(folder: Path) -> Iterator[Path]:
    unlisted: list[Path] = []
    walk = os.walk(folder, onerror=lambda error: unlisted.append(Path(error.filename)))
    for parent, folders, names in walk:
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))
    yield from unlisted
