"""The application over fakes, with jobs in a real database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.adapters.onnx import OnnxSegmenter
from service.adapters.sql.jobs import SqlJobLedger
from service.api.parts import Parts
from service.ports import JobLedger
from tests.fakes import FakeLedger, FakeObjectStore
from tests.servers.postgres import opened
from tests.serving import parts_of


@pytest.fixture
def jobs(sqlite_url: str) -> Iterator[SqlJobLedger]:
    with opened(sqlite_url) as engine:
        yield SqlJobLedger(engine)


@pytest.fixture
def parts(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger, jobs: JobLedger
) -> Parts:
    return parts_of(segmenter, store, ledger, jobs=jobs)
