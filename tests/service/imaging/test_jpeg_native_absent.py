"""As on a machine without a Rust compiler: the module without the library beside it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from service.imaging import jpeg_native
from service.imaging.jpeg_thumbnail import Detail
from tests import photos


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[ModuleType]:
    name = "jpeg_native_alone"
    place = tmp_path / "jpeg_native.py"
    shutil.copy(jpeg_native.__file__, place)
    spec = importlib.util.spec_from_file_location(name, place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


def test_everything_is_left_to_the_library(alone: ModuleType) -> None:
    assert not alone.is_available()
    assert alone.scanned(photos.jpeg(), Detail.EIGHTH) is None


def test_a_library_of_another_machine_is_none(alone: ModuleType) -> None:
    suffix = importlib.machinery.EXTENSION_SUFFIXES[-1]
    Path(alone.__file__ or "").with_name(f"_jpeg_native{suffix}").write_bytes(b"MZ of another kind")
    assert not alone.is_available()
    assert alone.scanned(photos.jpeg(), Detail.QUARTER) is None
