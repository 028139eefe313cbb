"""The annotated photos that are compared on: a folder's all, or what it holds out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models import datasets
from models.origin import Origin

HELD_OUT = "val"


@dataclass(frozen=True, slots=True)
class Folder:
    """`title` is as it was asked for: `water:val`, or `drawn` for all of it."""

    title: str
    examples: tuple[datasets.Example, ...]
    sha256: str
    """Over the photos and their annotations."""

    @property
    def name(self) -> str:
        return self.title.partition(":")[0]

    @property
    def is_held_out(self) -> bool:
        return ":" in self.title

    def was_learned_by(self, origin: Origin) -> bool:
        """Whether some of these photos were shown in training, as far as the file tells."""
        return not self.is_held_out and origin.data.get(self.name, 1.0) < 1.0


def folder_of(title: str, *, data: Path, origins: Iterable[Origin]) -> Folder:
    """Raises ValueError for a title that names no folder, FileNotFoundError without photos.

    Without a split of its own, a folder holds out what all of `origins` that learned from it did.
    """
    name, _, part = title.partition(":")
    if part not in ("", HELD_OUT):
        raise ValueError(f"{title!r} is no folder; write {name}, or {name}:val for its held-out")
    root = data / name
    if not name or not root.is_dir():
        raise ValueError(f"there is no folder {root}; folders are named as they are under {data}")
    found = datasets.examples(root, datasets.annotation_of(root))
    if part == HELD_OUT:
        told = [origin.data[name] for origin in origins if name in origin.data]
        _, found = datasets.split(found, root, min(told, default=datasets.HELD_OUT_SHARE))
    if not found:
        raise ValueError(f"{root} holds no photo out; name it without :val to compare on all")
    return Folder(title, tuple(found), datasets.fingerprint(found))
