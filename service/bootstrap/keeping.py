"""What keeps photos: database, store and archives, without a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from urllib.parse import unquote

from sqlalchemy import Engine

from service.adapters.addressed_store import AddressedStore
from service.adapters.archives import OpenedArchives
from service.adapters.folder import FolderStore
from service.adapters.machine import usable_cpus, usable_memory_bytes
from service.adapters.s3 import s3_store_from
from service.adapters.s3_client import S3Account
from service.adapters.sql.engine import engine_for
from service.adapters.sql.jobs import SqlJobLedger
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.migrate import is_current, migrate
from service.adapters.sql.rollup import adopt_minimum
from service.core.archive import source_of
from service.core.errors import Misconfigured
from service.core.photo import Limits
from service.imaging.jpeg_xl import INSTALLATION, is_available
from service.ports import Archives, JobLedger, Ledger, ObjectStore
from service.settings import Settings, masked
from service.usecases.ingest import PixelBudget
from service.usecases.originals import Originals
from service.usecases.places import OwnStore
from service.usecases.purge import Purge
from service.usecases.recompress import Recompress
from service.usecases.reconcile import Reconcile
from service.usecases.restore import Restore

THREADS_PER_CPU = 4
"""While one computes, the others read and write: storage answers in tens of milliseconds."""
MOST_AT_ONCE = 16
"""Photos of a purge, which each hold a connection of the database's pool."""
BYTES_PER_MEGAPIXEL = 20_000_000
"""What a photo takes at its peak: pixels, coefficients, and the copies that codecs make."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Connected to whatever the settings name."""

    store: ObjectStore
    """Understands whole addresses of archives as keys too."""
    archives: Archives
    ledger: Ledger
    jobs: JobLedger


def keeping_on(engine: Engine, settings: Settings) -> Keeping:
    """Over an engine whose tables are current."""
    archives = archives_of(settings)
    store = AddressedStore(store_of(settings), archives)
    return Keeping(store, archives, SqlLedger(engine), SqlJobLedger(engine))


@contextmanager
def opened_keeping(settings: Settings) -> Iterator[Keeping]:
    """For a command that works without a model; its connections are closed at the end."""
    engine = current_engine(settings)
    try:
        yield keeping_on(engine, settings)
    finally:
        engine.dispose()


@contextmanager
def opened_ledger(settings: Settings) -> Iterator[Ledger]:
    """For a command that needs no store either."""
    engine = current_engine(settings)
    try:
        yield SqlLedger(engine)
    finally:
        engine.dispose()


@contextmanager
def opened_job_ledger(settings: Settings) -> Iterator[JobLedger]:
    """As `opened_ledger`, for jobs."""
    engine = current_engine(settings)
    try:
        yield SqlJobLedger(engine)
    finally:
        engine.dispose()


def restore_of(settings: Settings, keeping: Keeping) -> Restore:
    originals = Originals(keeping.archives, own_store_of(settings))
    return Restore(keeping.ledger, keeping.store, originals, now)


def purge_of(settings: Settings, keeping: Keeping, *, stop: Event, dry_run: bool = False) -> Purge:
    """Begins no other photo once `stop` is set."""
    return Purge(
        ledger=keeping.ledger,
        store=keeping.store,
        originals=Originals(keeping.archives, own_store_of(settings)),
        budget=pixel_budget_of(settings),
        clock=now,
        workers=min(MOST_AT_ONCE, THREADS_PER_CPU * usable_cpus()),
        stop=stop,
        dry_run=dry_run,
    )


def recompress_of(
    settings: Settings, keeping: Keeping, *, stop: Event, dry_run: bool = False
) -> Recompress:
    """Begins no other crop once `stop` is set; all cores work at it.

    Raises `Misconfigured` where JPEG XL can't be written here.
    """
    require_codec(settings)
    return Recompress(
        ledger=keeping.ledger,
        store=keeping.store,
        budget=pixel_budget_of(settings),
        clock=now,
        workers=usable_cpus(),
        stop=stop,
        dry_run=dry_run,
    )


def require_codec(settings: Settings) -> None:
    """Raises `Misconfigured` `settings.archive_encoding` where that can't be written and read."""
    if settings.archive_encoding is not None and not is_available():
        raise Misconfigured(
            "settings.archive_encoding",
            f"METERCROP_ARCHIVE_ENCODING is {settings.archive_encoding}, but imagecodecs, which "
            f"packs and unpacks the crops, is not installed; {INSTALLATION} brings it",
        )


def reconcile_of(keeping: Keeping, *, repair: bool) -> Reconcile:
    return Reconcile(keeping.ledger, keeping.store, now, repair)


def store_of(settings: Settings) -> ObjectStore:
    """The store that the address names; raises `Misconfigured` `settings.store_url`."""
    match settings.store.partition("://")[0]:
        case "file":
            return FolderStore(Path(own_store_of(settings).root.removeprefix("file://")))
        case "s3":
            return s3_store_from(settings.store, s3_account_of(settings))
    raise Misconfigured(
        "settings.store_url",
        f"METERCROP_STORE_URL is {settings.store!r}; it begins with file:/// or s3://",
    )


def own_store_of(settings: Settings) -> OwnStore:
    """The service's store as jobs address it; a folder's address may be percent-encoded."""
    address = settings.store
    if address.startswith("file://"):
        address = unquote(address)
    root, prefix = source_of(address)
    return OwnStore(root, f"{prefix.removesuffix('/')}/" if prefix else "")


def archives_of(settings: Settings) -> OpenedArchives:
    """Archives are reached with the account of the service's own store."""
    return OpenedArchives(s3_account_of(settings))


def s3_account_of(settings: Settings) -> S3Account:
    return S3Account(
        endpoint=settings.s3_endpoint,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
        region=settings.s3_region,
        secure=settings.s3_secure,
    )


def engine_of(settings: Settings) -> Engine:
    """Raises `Misconfigured` where the embedded database's folder cannot be made."""
    engine = engine_for(settings.database)
    if settings.database_is_embedded:
        _make_folder(Path(engine.url.database or "").parent)
    return engine


def current_engine(settings: Settings) -> Engine:
    """An embedded database is brought up to date, another one by its operator.

    Raises `Misconfigured` `database.outdated` where that is still to be done.
    """
    engine = engine_of(settings)
    if settings.database_is_embedded:
        migrate(engine)
        adopt_minimum(engine, settings.min_billable_bytes)
    elif not is_current(engine):
        raise Misconfigured(
            "database.outdated",
            f"the database {masked(settings.database)} is not up to date; run `metercrop migrate`",
        )
    return engine


def migrate_database(settings: Settings) -> None:
    engine = engine_of(settings)
    try:
        migrate(engine)
        adopt_minimum(engine, settings.min_billable_bytes)
    finally:
        engine.dispose()


def limits_of(settings: Settings) -> Limits:
    return Limits(settings.max_bytes, settings.max_pixels)


def megapixels_of(settings: Settings) -> float:
    """How many megapixels may be worked on at once: half of the memory at hand."""
    if settings.max_concurrent_megapixels is not None:
        return settings.max_concurrent_megapixels
    return max(1.0, usable_memory_bytes() / 2 / BYTES_PER_MEGAPIXEL)


def pixel_budget_of(settings: Settings) -> PixelBudget:
    """What threads that wait for room share."""
    return PixelBudget(max(1, int(megapixels_of(settings) * 1e6)))


def now() -> datetime:
    return datetime.now(UTC)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            "settings.home",
            f"cannot make the database's folder {folder} ({error.strerror}); set METERCROP_HOME or "
            "METERCROP_DATABASE_URL to a place that can be written",
        ) from error
