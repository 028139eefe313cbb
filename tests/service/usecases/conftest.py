"""The pipeline over fakes and a real model."""

from __future__ import annotations

import pytest

from service.adapters.onnx import OnnxSegmenter
from tests.fakes import FakeLedger, FakeObjectStore
from tests.segmenters import colour_segmenter


@pytest.fixture(scope="session")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> OnnxSegmenter:
    return colour_segmenter(tmp_path_factory.mktemp("model"))


@pytest.fixture
def store() -> FakeObjectStore:
    return FakeObjectStore()


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()
