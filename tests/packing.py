"""Crops packed, and what tests want to know of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event

from service.core.record import Record
from service.imaging import jpeg_xl
from service.ports import Ledger, ObjectStore
from service.usecases.ingest import PixelBudget
from service.usecases.photos import whole_picture
from service.usecases.recompress import Recompress
from service.usecases.recompress_outcomes import Recompressed, StaysAsItIs

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""When no photo is too young to be packed."""


def recompress_of(
    ledger: Ledger,
    store: ObjectStore,
    *,
    now: datetime = LATER,
    workers: int = 1,
    dry_run: bool = False,
    page: int = 500,
) -> Recompress:
    return Recompress(
        ledger=ledger,
        store=store,
        budget=PixelBudget(10_000_000),
        clock=lambda: now,
        workers=workers,
        stop=Event(),
        dry_run=dry_run,
        page=page,
    )


def packed(ledger: Ledger, store: ObjectStore) -> list[Recompressed | StaysAsItIs]:
    return list(recompress_of(ledger, store).packed())


def content_of(ledger: Ledger, store: ObjectStore, record: Record) -> bytes:
    """What would be served of it now, of the recorded hash."""
    now = ledger.by_id(record.id)
    assert now is not None
    return whole_picture(store, now.stored)


def keys_in(store: ObjectStore) -> set[str]:
    return {each.key for each in store.objects()}


@contextmanager
def without_codec() -> Iterator[None]:
    """As where the extra `jxl` was not installed."""
    codec = sys.modules.get("imagecodecs")
    sys.modules["imagecodecs"] = None  # type: ignore[assignment]  # so says Python's own manual
    jpeg_xl._codec.cache_clear()
    try:
        yield
    finally:
        del sys.modules["imagecodecs"]
        if codec is not None:
            sys.modules["imagecodecs"] = codec
        jpeg_xl._codec.cache_clear()
