"""The pipeline over fakes and a real model."""

from __future__ import annotations

import pytest

from service.adapters.onnx import OnnxSegmenter
from tests.fakes import FakeLedger, FakeObjectStore
from tests.segmenters import colour_segmenter
from tests.servers.s3 import CEPH

collect_ignore = [] if CEPH else ["test_grace_with_versions.py"]
"""Few servers have versions and locks."""


@pytest.fixture(scope="session")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> OnnxSegmenter:
    return colour_segmenter(tmp_path_factory.mktemp("model"))


@pytest.fixture
def store() -> FakeObjectStore:
    return FakeObjectStore()


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()
