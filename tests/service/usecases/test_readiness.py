"""Whether the parts work, each told for itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.adapters.onnx import OnnxSegmenter
from service.core.errors import Unavailable
from service.ports import Ledger, ModelDescription, ObjectStore, Segmenter
from service.usecases.readiness import Check, attempts, checked
from tests.fakes import FakeLedger, FakeObjectStore


def checks(segmenter: Segmenter, store: ObjectStore, ledger: Ledger) -> tuple[Check, ...]:
    return tuple(checked(*part) for part in attempts(segmenter, store, ledger).items())


def test_parts_that_work_have_no_failure(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    assert checks(segmenter, store, ledger) == (
        Check("model", None),
        Check("store", None),
        Check("database", None),
    )
    assert list(store.objects()) == []


def test_each_part_is_asked_even_if_another_fails(
    segmenter: OnnxSegmenter, store: FakeObjectStore
) -> None:
    store.available = False

    model, of_store, database = checks(segmenter, store, LostLedger())

    assert model.failure is None
    assert of_store.failure is not None
    assert database.failure == "the database went away"


def test_model_that_breaks_in_its_own_way_is_told_too(
    segmenter: OnnxSegmenter, store: FakeObjectStore, ledger: FakeLedger
) -> None:
    model, *_ = checks(BrokenSegmenter(segmenter.description), store, ledger)

    assert model == Check("model", "RuntimeError: out of memory on the GPU")


class LostLedger(FakeLedger):
    def check(self) -> None:
        raise Unavailable("database.unavailable", "the database went away")


class BrokenSegmenter:
    def __init__(self, description: ModelDescription) -> None:
        self.description = description

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:  # noqa: ARG002  the port names it
        raise RuntimeError("out of memory on the GPU")
