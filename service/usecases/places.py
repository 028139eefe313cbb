"""Where a job puts what it stores: one place for each source, so nothing is ever overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from service.core.archive import CROP_MARK, ArchivedObject, source_of
from service.core.job import JobPlan

SAME = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg", "tif": "tiff", "heif": "heic"}
"""Endings that mean the same format as another one."""
APART_CHARS = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A name below an archive's root."""

    root: str
    key: str


@dataclass(frozen=True, slots=True)
class OwnStore:
    """The service's store as an archive: its root, and the prefix of its keys, with its slash."""

    root: str
    prefix: str

    def key_of(self, place: Place) -> str:
        """The store's own key of what lies below it, the whole address of all else."""
        if place.root == self.root and place.key.startswith(self.prefix):
            return place.key.removeprefix(self.prefix)
        return f"{place.root}/{place.key}"


def crop_place(
    plan: JobPlan, source: ArchivedObject, extension: str, *, own_store: OwnStore
) -> Place:
    """Beside the source where a `replace` job names no destination, else below the destination.

    Below it the source's whole key is kept, folders and all, so two sources never meet there;
    where the format changes, the new ending is added to the name instead of replacing the old one.
    """
    if plan.destination:
        root, prefix = source_of(plan.destination)
        folder = f"{prefix.removesuffix('/')}/" if prefix else ""
        return Place(root, folder + _named(source.key, extension))
    if plan.mode == "replace":
        return Place(source.root, f"{source.key}{CROP_MARK}{extension}")
    name = source.root.rpartition("/")[2]
    key = f"{own_store.prefix}archive/{name}/{_named(source.key, extension)}"
    return Place(own_store.root, key)


def named_apart(place: Place, fingerprint: str) -> Place:
    """Beside what an earlier model left there, which stays until the new one is recorded."""
    stem, dot, extension = place.key.rpartition(".")
    return Place(place.root, f"{stem}.{fingerprint[:APART_CHARS]}{dot}{extension}")


def _named(key: str, extension: str) -> str:
    ending = PurePosixPath(key).suffix.removeprefix(".").lower()
    same = SAME.get(ending, ending) == SAME.get(extension, extension)
    return key if same else f"{key}.{extension}"
