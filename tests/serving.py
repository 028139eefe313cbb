"""The application in a real server on loopback, over parts that a test chooses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from fastapi import FastAPI

from service.adapters.archives import OpenedArchives
from service.adapters.sql.engine import engine_for
from service.adapters.sql.jobs import SqlJobLedger
from service.api.app import application
from service.api.keys import Authentication, AuthRule
from service.api.parts import Parts
from service.cli.http_protocol import WholeChunks
from service.core.access import ApiKey, Scope, secret_sha256
from service.core.crop import CropPolicy
from service.core.encoding import Encoding
from service.core.photo import Limits
from service.dashboard.app import add_dashboard
from service.ports import JobLedger, Ledger, ObjectStore, Segmenter
from service.usecases.jobs import JobRules
from service.usecases.optimize import Optimizer
from service.usecases.originals import Originals
from service.usecases.places import OwnStore
from service.usecases.restore import Restore
from service.usecases.upload import Intake

START_S = 60.0
ANSWER_S = 120.0
"""Limits for a busy machine: nothing is expected to take so long."""
NO_DATABASE = "sqlite:////no/such/folder/jobs.db"
"""Of tests that have no jobs: whoever asks for some finds the database away."""


def now_in_utc() -> datetime:
    return datetime.now(UTC)


def parts_of(
    segmenter: Segmenter,
    store: ObjectStore,
    ledger: Ledger,
    *,
    limits: Limits | None = None,
    megapixels: float = 50.0,
    rule: AuthRule = AuthRule.NEVER,
    jobs: JobLedger | None = None,
    keep_originals: timedelta = timedelta(0),
    context_px: int = 320,
    clock: Callable[[], datetime] = now_in_utc,
) -> Parts:
    optimizer = Optimizer(
        segmenter, CropPolicy(), Encoding.AUTO, keep_gps=False, context_px=context_px
    )
    originals = Originals(OpenedArchives(None), OwnStore("s3://own-store", "metercrop/"))
    return Parts(
        intake=Intake(optimizer, store, ledger, keep_originals, clock),
        restore=Restore(ledger, store, originals, clock),
        store=store,
        ledger=ledger,
        jobs=jobs or SqlJobLedger(engine_for(NO_DATABASE)),
        job_rules=JobRules(OwnStore("s3://own-store", "metercrop/")),
        segmenter=segmenter,
        limits=limits or Limits(),
        max_concurrent_megapixels=megapixels,
        authentication=Authentication(ledger, rule),
        price_per_gb_month=0.023,
        min_billable_bytes=0,
    )


def site_of(parts: Parts) -> FastAPI:
    """API and pages, as `bootstrap` puts them together."""
    app = application(parts)
    add_dashboard(app)
    return app


def add_key(ledger: Ledger, secret: str, *scopes: Scope) -> UUID:
    key = ApiKey(uuid4(), "test", frozenset(scopes), secret_sha256(secret), datetime.now(UTC))
    ledger.add_key(key)
    return key.id


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@contextmanager
def client_of(parts: Parts) -> Iterator[httpx.Client]:
    """A client of the parts' application, which runs until the block ends."""
    with served(site_of(parts)) as url, httpx.Client(base_url=url, timeout=ANSWER_S) as client:
        yield client


def upload(client: httpx.Client, photo: bytes, **fields: str) -> dict[str, Any]:
    """The new photo's record."""
    answer = client.post("/v1/photos", content=photo, params=fields)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address at which the application answers until the block ends."""
    config = uvicorn.Config(
        app, http=WholeChunks, log_config=None, access_log=False, lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            _wait_for(server)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _wait_for(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + START_S
    while not server.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.005)
