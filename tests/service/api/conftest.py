"""The application over fakes and a real model, behind a real server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from service.adapters.onnx import OnnxSegmenter
from service.api.parts import Parts
from service.core.record import PhotoFilter
from tests.fakes import FakeLedger, FakeObjectStore
from tests.segmenters import colour_segmenter
from tests.serving import client_of, parts_of


@pytest.fixture(scope="session")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> OnnxSegmenter:
    return colour_segmenter(tmp_path_factory.mktemp("model"))


@pytest.fixture
def store() -> FakeObjectStore:
    return FakeObjectStore()


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def parts(segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger) -> Parts:
    return parts_of(segmenter, store, ledger)


@pytest.fixture
def client(parts: Parts) -> Iterator[httpx.Client]:
    with client_of(parts) as client:
        yield client


@pytest.fixture
def nothing_is_stored(store: FakeObjectStore, ledger: FakeLedger) -> Iterator[None]:
    """Asserted once the test is over."""
    yield
    store.available = True
    assert list(store.objects()) == []
    assert ledger.page(PhotoFilter(), limit=1).items == ()
