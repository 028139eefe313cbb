"""Someone's archive as jobs see it: objects under names that others gave them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CROP_MARK = ".metercrop."
"""In the name of every crop that lies beside its source: `meter.jpg.metercrop.jpg`."""


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """What a listing or a look-up told of an object, at that moment.

    `root` is `s3://bucket` or `file:///folder`, without a slash at its end, and `key` the name
    below it; nothing is percent-encoded. An empty `version_id` is a store without versions; an
    empty `etag` an object that was named by somebody and not found.
    """

    root: str
    key: str
    bytes: int
    etag: str
    version_id: str = ""
    modified_at: datetime | None = None

    @property
    def location(self) -> str:
        return f"{self.root}/{self.key}"


class Removal(StrEnum):
    """What became of an object that was to be deleted."""

    GONE = "gone"
    LOCKED = "locked"
    """Object Lock or a legal hold keeps it."""
    MARKED = "marked"
    """A delete marker hides it in a versioned bucket; it is still stored, and paid for."""
