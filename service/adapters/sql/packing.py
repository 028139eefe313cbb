"""Crops to be packed, or to be unpacked again, as statements."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, func, text

from service.adapters.sql.retention import in_order_of_ids
from service.adapters.sql.tables import UNPACKED, PhotoRow
from service.core.record import Record


def never_looked_at(received_before: datetime, *, after: Record | None) -> Select[PhotoRow]:
    """In the order of their ids."""
    # Written out as the index has it, which SQLite finds only so; and without a bare column to
    # compare, for which it would take another one, and read nearly all photos.
    received_at = func.coalesce(PhotoRow.received_at, PhotoRow.received_at)
    return in_order_of_ids(after).where(text(UNPACKED), received_at < received_before)


def packed(*, after: Record | None) -> Select[PhotoRow]:
    """In the order of their ids; it passes over the table once, however many pages are read."""
    return in_order_of_ids(after).where(PhotoRow.stored_unpacked_bytes.is_not(None))
