"""Compares database and object store both ways, in one pass over each in the order of keys.

Photos come and go meanwhile, so whatever looks wrong is looked at once more before it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from uuid import UUID

from service.ports import Ledger, ObjectStore, OwnedObject, StoredObject

UNRECORDED_FOR = timedelta(days=1)
"""Younger objects may still be recorded: a worker waits for a database that is away."""
BATCH = 500


class Fault(StrEnum):
    MISSING = "missing"
    """A record's object is not in the store."""
    CHANGED = "changed"
    """It has another size than was recorded."""
    ORPHAN = "orphan"
    """No record knows the object."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`recorded_bytes` is None of an orphan, `stored_bytes` of what is missing."""

    fault: Fault
    key: str
    photo_id: UUID | None
    recorded_bytes: int | None
    stored_bytes: int | None
    is_repaired: bool = False


@dataclass(slots=True)
class Compared:
    """Goes up while differences are asked for."""

    owned: int = 0
    stored: int = 0
    recent: int = 0
    """Objects without a record that are too young to be called orphans."""
    open: int = 0
    repaired: int = 0


@dataclass(slots=True)
class Reconcile:
    """`repair` deletes orphans; for what is missing or changed nothing can be made up."""

    ledger: Ledger
    store: ObjectStore
    clock: Callable[[], datetime]
    repair: bool = False
    compared: Compared = field(default_factory=Compared)

    def differences(self) -> Iterator[Difference]:
        """In the order of keys, a few hundred at a time; `Unavailable` where a side is away."""
        suspects = self._suspects()
        while batch := list(islice(suspects, BATCH)):
            orphaned = [stored.key for owned, stored in batch if owned is None and stored]
            known = self.ledger.owned_of(orphaned)
            for owned, stored in batch:
                found = self._confirmed(owned, stored, known)
                if found is not None:
                    self._count(found)
                    yield found

    def _suspects(self) -> Iterator[tuple[OwnedObject | None, StoredObject | None]]:
        for owned, stored in merged(self.ledger.owned_objects(), self.store.objects()):
            self.compared.owned += owned is not None
            self.compared.stored += stored is not None
            if owned is None or stored is None or owned.bytes != stored.bytes:
                yield owned, stored

    def _confirmed(
        self, owned: OwnedObject | None, stored: StoredObject | None, known: frozenset[str]
    ) -> Difference | None:
        if owned is not None:
            return self._fault_of(owned)
        if stored is None or stored.key in known:
            return None
        return self._orphan(stored.key)

    def _fault_of(self, owned: OwnedObject) -> Difference | None:
        record, there = self.ledger.by_id(owned.photo_id), self.store.head(owned.key)
        if record is None or owned.key not in record.keys:
            return None
        if there is None:
            return Difference(Fault.MISSING, owned.key, owned.photo_id, owned.bytes, None)
        if there.bytes == owned.bytes:
            return None
        return Difference(Fault.CHANGED, owned.key, owned.photo_id, owned.bytes, there.bytes)

    def _orphan(self, key: str) -> Difference | None:
        there = self.store.head(key)
        if there is None:
            return None
        if self.clock() - there.modified_at < UNRECORDED_FOR:
            self.compared.recent += 1
            return None
        if self.repair:
            self.store.delete(key)
        return Difference(Fault.ORPHAN, key, None, None, there.bytes, is_repaired=self.repair)

    def _count(self, found: Difference) -> None:
        self.compared.repaired += found.is_repaired
        self.compared.open += not found.is_repaired


def merged(
    owned: Iterable[OwnedObject], stored: Iterable[StoredObject]
) -> Iterator[tuple[OwnedObject | None, StoredObject | None]]:
    """Pairs of the same key, and what has none; both come in the order of their keys."""
    left, right = iter(owned), iter(stored)
    mine, theirs = next(left, None), next(right, None)
    while mine is not None or theirs is not None:
        if theirs is None or (mine is not None and mine.key < theirs.key):
            yield mine, None
            mine = next(left, None)
        elif mine is None or theirs.key < mine.key:
            yield None, theirs
            theirs = next(right, None)
        else:
            yield mine, theirs
            mine, theirs = next(left, None), next(right, None)
