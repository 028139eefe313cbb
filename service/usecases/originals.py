"""Originals that are still stored beside their crops: looked for, read, deleted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from service.core.archive import ArchivedObject, Removal, object_of
from service.core.errors import ObjectRejected
from service.core.photo import sha256_of
from service.core.record import OriginalPhoto, is_address
from service.ports import Archive, Archives
from service.usecases.places import OwnStore, Place


class Presence(StrEnum):
    THERE = "there"
    """It is the newest version of its name, and has the bytes that the record tells of."""
    GONE = "gone"
    HIDDEN = "hidden"
    """It lies, still paid for, behind the delete marker of a versioned bucket."""
    CHANGED = "changed"
    """Under its name there are other bytes now."""


@dataclass(frozen=True, slots=True)
class Finding:
    presence: Presence
    object: ArchivedObject | None = None
    """Where it is there."""


@dataclass(frozen=True, slots=True)
class Originals:
    """The service's own store is one more archive here: that tells what a deletion really frees.

    All raise `Unavailable`, `ObjectRejected` `object.access_denied` and, for an archive that the
    settings have no account for, `RequestRejected`.
    """

    archives: Archives
    own_store: OwnStore

    def finding(self, original: OriginalPhoto) -> Finding:
        """What lies where the record says; whole and by its hash, as a name proves nothing."""
        archive, key = self._archive(original)
        newest = archive.find(key)
        if newest is None:
            hidden = self._hidden(original) is not None
            return Finding(Presence.HIDDEN if hidden else Presence.GONE)
        other_version = original.retained_version not in ("", newest.version_id)
        if other_version or newest.bytes != original.bytes:
            return Finding(Presence.CHANGED)
        return _by_its_bytes(archive, newest, original)

    def content(self, original: OriginalPhoto) -> bytes | None:
        """Of the version that the record is about, hidden or not; None where there is none."""
        archive, key = self._archive(original)
        found = archive.find(key, version_id=original.retained_version)
        if found is None or found.bytes != original.bytes:
            return None
        return _same_bytes(archive, found, original)

    def delete(self, original: OriginalPhoto, found: ArchivedObject) -> Removal:
        """Raises `ObjectRejected` `object.changed` where it is no longer what was found."""
        archive, _ = self._archive(original)
        return archive.delete(found)

    def _hidden(self, original: OriginalPhoto) -> ArchivedObject | None:
        if not original.retained_version:
            return None
        archive, key = self._archive(original)
        return archive.find(key, version_id=original.retained_version)

    def _archive(self, original: OriginalPhoto) -> tuple[Archive, str]:
        place = self._place(original)
        return self.archives.opened(place.root), place.key

    def _place(self, original: OriginalPhoto) -> Place:
        key = original.retained_key
        if key is None:
            raise ValueError(f"the original {original.sha256} is not retained")
        if is_address(key):
            return Place(*object_of(key))
        return Place(self.own_store.root, self.own_store.prefix + key)


def without_retention(original: OriginalPhoto) -> OriginalPhoto:
    """It is no longer beside its crop."""
    return replace(
        original, retention=None, retained_key=None, retained_version="", retained_until=None
    )


def _by_its_bytes(archive: Archive, newest: ArchivedObject, original: OriginalPhoto) -> Finding:
    try:
        same = _same_bytes(archive, newest, original) is not None
    except ObjectRejected as error:
        if error.code not in ("object.gone", "object.changed"):
            raise
        same = False  # somebody else is at it right now; another time it is one or the other
    return Finding(Presence.THERE, newest) if same else Finding(Presence.CHANGED)


def _same_bytes(archive: Archive, found: ArchivedObject, original: OriginalPhoto) -> bytes | None:
    content = archive.read(found)
    return content if sha256_of(content) == original.sha256 else None
