"""The only file that names every adapter: settings go in, working parts come out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event
from urllib.parse import unquote, urlsplit

from fastapi import FastAPI
from sqlalchemy import Engine

from service.adapters.folder import FolderStore
from service.adapters.machine import usable_cpus, usable_memory_bytes
from service.adapters.onnx import OnnxSegmenter, load_segmenter
from service.adapters.s3 import s3_store_from
from service.adapters.sql.engine import engine_for
from service.adapters.sql.ledger import SqlLedger
from service.adapters.sql.migrate import is_current, migrate
from service.api.app import application
from service.api.keys import Authentication, AuthRule
from service.api.parts import Parts
from service.core.crop import CropPolicy
from service.core.errors import Misconfigured
from service.core.photo import Limits
from service.ports import Ledger, ModelDescription, ObjectStore
from service.settings import Auth, Settings, masked
from service.usecases.ingest import Ingest, PixelBudget
from service.usecases.optimize import Optimizer
from service.usecases.upload import Intake

BYTES_PER_MEGAPIXEL = 20_000_000
"""What a photo takes at its peak: pixels, coefficients, and the copies that codecs make."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the service works with, once all of it is there."""

    segmenter: OnnxSegmenter
    store: ObjectStore
    ledger: Ledger
    intake: Intake


def assembled(settings: Settings) -> Machine:
    """Everything, connected and warm; an embedded database is migrated on the way."""
    segmenter = segmenter_of(settings)
    store = store_of(settings)
    ledger = ledger_of(settings)
    optimizer = Optimizer(
        segmenter,
        policy_of(settings, segmenter.description),
        settings.encoding,
        settings.keep_gps,
    )
    grace = timedelta(days=settings.keep_originals_days)
    intake = Intake(optimizer, store, ledger, grace, lambda: datetime.now(UTC))
    return Machine(segmenter, store, ledger, intake)


def api_of(settings: Settings, machine: Machine, *, host: str) -> FastAPI:
    """The HTTP side over working parts; `host` is where it will listen."""
    return application(
        Parts(
            intake=machine.intake,
            store=machine.store,
            ledger=machine.ledger,
            segmenter=machine.segmenter,
            limits=limits_of(settings),
            max_concurrent_megapixels=megapixels_of(settings),
            authentication=Authentication(machine.ledger, auth_rule_of(settings, host=host)),
            price_per_gb_month=settings.price_per_gb_month,
            min_billable_bytes=settings.min_billable_bytes,
        )
    )


def ingest_of(settings: Settings, machine: Machine, *, stop: Event) -> Ingest:
    """Takes files in, until `stop` is set."""
    pixels = PixelBudget(max(1, int(megapixels_of(settings) * 1e6)))
    return Ingest(machine.intake, limits_of(settings), pixels, usable_cpus(), stop)


def segmenter_of(settings: Settings) -> OnnxSegmenter:
    return load_segmenter(settings.model, settings.device, threads=usable_cpus())


def store_of(settings: Settings) -> ObjectStore:
    """The store that the address names; raises `Misconfigured` `settings.store_url`."""
    address = urlsplit(settings.store)
    match address.scheme:
        case "file":
            return FolderStore(Path(unquote(address.path)))
        case "s3":
            return s3_store_from(
                settings.store,
                endpoint=settings.s3_endpoint,
                access_key=settings.s3_access_key,
                secret_key=settings.s3_secret_key.get_secret_value(),
                region=settings.s3_region,
                secure=settings.s3_secure,
            )
    raise Misconfigured(
        "settings.store_url",
        f"METERCROP_STORE_URL is {settings.store!r}; it begins with file:/// or s3://",
    )


def engine_of(settings: Settings) -> Engine:
    """Raises `Misconfigured` where the embedded database's folder cannot be made."""
    engine = engine_for(settings.database)
    if settings.database_is_embedded:
        _make_folder(Path(engine.url.database or "").parent)
    return engine


def ledger_of(settings: Settings) -> SqlLedger:
    """The ledger; an embedded database is brought up to date, another one by its operator.

    Raises `Misconfigured` `database.outdated` where that is still to be done.
    """
    return SqlLedger(_current_engine(settings))


@contextmanager
def opened_ledger(settings: Settings) -> Iterator[Ledger]:
    """`ledger_of` for a command that needs nothing else; its connections are closed at the end."""
    engine = _current_engine(settings)
    try:
        yield SqlLedger(engine)
    finally:
        engine.dispose()


def migrate_database(settings: Settings) -> None:
    engine = engine_of(settings)
    try:
        migrate(engine)
    finally:
        engine.dispose()


def policy_of(settings: Settings, model: ModelDescription) -> CropPolicy:
    """The model's own thresholds, unless the settings say otherwise."""
    chosen = settings.min_confidence
    return CropPolicy(
        threshold=model.threshold,
        min_confidence=model.min_confidence if chosen is None else chosen,
        margin=settings.margin,
    )


def auth_rule_of(settings: Settings, *, host: str) -> AuthRule:
    """Keys are asked for, but not before the first is created while only this machine can ask."""
    match settings.auth:
        case Auth.ON:
            return AuthRule.ALWAYS
        case Auth.OFF:
            return AuthRule.NEVER
    return AuthRule.ONCE_A_KEY_EXISTS if _is_loopback(host) else AuthRule.ALWAYS


def limits_of(settings: Settings) -> Limits:
    return Limits(settings.max_bytes, settings.max_pixels)


def megapixels_of(settings: Settings) -> float:
    """How many megapixels may be worked on at once: half of the memory at hand."""
    if settings.max_concurrent_megapixels is not None:
        return settings.max_concurrent_megapixels
    return max(1.0, usable_memory_bytes() / 2 / BYTES_PER_MEGAPIXEL)


def _current_engine(settings: Settings) -> Engine:
    engine = engine_of(settings)
    if settings.database_is_embedded:
        migrate(engine)
    elif not is_current(engine):
        raise Misconfigured(
            "database.outdated",
            f"the database {masked(settings.database)} is not up to date; run `metercrop migrate`",
        )
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(
            "settings.home",
            f"cannot make the database's folder {folder} ({error.strerror}); set METERCROP_HOME or "
            "METERCROP_DATABASE_URL to a place that can be written",
        ) from error


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"
