"""The objects that records own, as statements."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, collate, select, union_all

from service.adapters.sql.tables import PhotoRow

KEYS = (
    (PhotoRow.stored_key, PhotoRow.stored_bytes),
    (PhotoRow.context_key, PhotoRow.context_bytes),
    (PhotoRow.retained_key, PhotoRow.original_bytes),
)
"""Each column of keys, and the one that tells how many bytes lie there."""


def every_owned_object(dialect: str) -> Select[str | None, int | None, UUID]:
    """Key, bytes and photo by code points of the key; objects of archives are left out."""
    each = [
        select(key.label("key"), size.label("bytes"), PhotoRow.id).where(
            key.is_not(None), key.not_like("%://%")
        )
        for key, size in KEYS
    ]
    owned = union_all(*each).subquery("owned")
    key = owned.c.key if dialect == "sqlite" else collate(owned.c.key, "C")
    return select(owned.c.key, owned.c.bytes, owned.c.id).order_by(key)


def owned_among(keys: Collection[str]) -> list[Select[str | None]]:
    """A statement for each column; each passes over the table, so ask for many keys at once."""
    return [select(column).where(column.in_(keys)) for column, _ in KEYS]
