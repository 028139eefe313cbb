"""The service with its model: for the API, and for what takes photos in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_address
from threading import Event, Semaphore

from fastapi import FastAPI

from service.adapters.machine import usable_cpus
from service.adapters.onnx import OnnxSegmenter, load_segmenter
from service.api.app import application
from service.api.keys import Authentication, AuthRule
from service.api.parts import Parts
from service.bootstrap.keeping import (
    Keeping,
    current_engine,
    keeping_on,
    limits_of,
    megapixels_of,
    now,
    own_store_of,
    pixel_budget_of,
    require_codec,
    restore_of,
)
from service.core.crop import CropPolicy
from service.dashboard.app import add_dashboard
from service.ports import ModelDescription
from service.settings import Auth, Settings
from service.usecases.ingest import Ingest
from service.usecases.jobs import JobRules
from service.usecases.optimize import Optimizer
from service.usecases.upload import Intake


@dataclass(frozen=True, slots=True)
class Machine:
    """What the service works with, once all of it is there."""

    segmenter: OnnxSegmenter
    keeping: Keeping
    intake: Intake


def assembled(settings: Settings, *, threads: int | None = None) -> Machine:
    """Everything, connected and warm; an embedded database is migrated on the way.

    `threads` work on a photo at once, unless told otherwise all that there are; where many photos
    are worked on at the same time, one each is quickest.
    """
    segmenter = segmenter_of(settings, threads=threads)
    keeping = keeping_on(current_engine(settings), settings)
    optimizer = Optimizer(
        segmenter,
        policy_of(settings, segmenter.description),
        settings.encoding,
        settings.keep_gps,
        settings.context_px,
    )
    grace = timedelta(days=settings.keep_originals_days)
    cores = Semaphore(usable_cpus())
    intake = Intake(optimizer, keeping.store, keeping.ledger, grace, now, cores)
    return Machine(segmenter, keeping, intake)


def api_of(settings: Settings, machine: Machine, *, host: str) -> FastAPI:
    """The HTTP side over working parts; `host` is where it will listen.

    Raises `Misconfigured` where it could not unpack the crops that workers pack.
    """
    require_codec(settings)
    keeping = machine.keeping
    app = application(
        Parts(
            intake=machine.intake,
            restore=restore_of(settings, keeping),
            store=keeping.store,
            ledger=keeping.ledger,
            jobs=keeping.jobs,
            job_rules=replace(job_rules_of(settings), folders=settings.folders_for_jobs),
            segmenter=machine.segmenter,
            limits=limits_of(settings),
            max_concurrent_megapixels=megapixels_of(settings),
            authentication=Authentication(keeping.ledger, auth_rule_of(settings, host=host)),
            price_per_gb_month=settings.price_per_gb_month,
            min_billable_bytes=settings.min_billable_bytes,
            currency=settings.currency,
            savings_days=settings.savings_days,
        )
    )
    add_dashboard(app)
    return app


def ingest_of(settings: Settings, machine: Machine, *, stop: Event) -> Ingest:
    """Takes files in, until `stop` is set."""
    budget = pixel_budget_of(settings)
    return Ingest(machine.intake, limits_of(settings), budget, usable_cpus(), stop)


def job_rules_of(settings: Settings) -> JobRules:
    """What new jobs are held to; a grace that is set counts for them too."""
    own_store = own_store_of(settings)
    if settings.keep_originals_days:
        return JobRules(own_store, settings.keep_originals_days)
    return JobRules(own_store)


def segmenter_of(settings: Settings, *, threads: int | None = None) -> OnnxSegmenter:
    """Warm; on a GPU for as many photos at once as there are cores to prepare them."""
    cpus = usable_cpus()
    return load_segmenter(settings.model, settings.device, threads=threads or cpus, callers=cpus)


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


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"
