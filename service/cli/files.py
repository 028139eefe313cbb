"""Files that commands write: whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from service.core.errors import MetercropError


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Puts a file there, in the place of an earlier one, once all of it is written.

    Raises `MetercropError` `file.unwritable`, and what `chunks` raises.
    """
    partial = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with partial.open("wb") as file:
            file.writelines(chunks)
        partial.replace(path)
    except OSError as error:
        raise MetercropError(
            "file.unwritable", f"cannot write {path} ({error.strerror}); name another file"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
