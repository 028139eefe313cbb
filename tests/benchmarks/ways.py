"""What is measured in processes of its own; without PyTorch, which takes seconds to import."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from models.serving import optimizer_of, segmenter_of
from service.adapters.onnx_session import cpu_session
from service.core.geometry import Box
from service.core.photo import Limits
from service.imaging.probe import photo_of
from service.settings import Device, Settings
from service.usecases.optimize import Optimizer
from tests.benchmarks.apart import Way
from tests.benchmarks.peers import Peer


def peer_and_network(peer: Peer, content: bytes, box: Box, model: Path) -> Way:
    """A peer's way and an inference; to find the box in its answer is given to the peer."""
    infer = network_alone(model)
    return lambda: (infer(), peer(content, box))


def network_alone(model: Path) -> Way:
    segmenter = segmenter_of(model, Device.CPU, threads=1)
    side = segmenter.description.side
    return partial(segmenter.probabilities, np.zeros((side, side, 3), np.uint8))


def whole_way(content: bytes, model: Path) -> Way:
    """Hashed, probed, read, looked at, decided, cut: all that a peer does, and more."""
    return partial(to_crop, optimizer_of(model, Device.CPU, threads=1), content)


def served_way(content: bytes, model: Path) -> Way:
    """The same, and the picture of the whole photo that the service lays beside each crop."""
    return partial(to_crop, served(model), content)


def served(model: Path) -> Optimizer:
    """As the service has it."""
    pictured = Settings.model_fields["context_px"].default
    return replace(optimizer_of(model, Device.CPU, threads=1), context_px=pictured)


def to_crop(optimizer: Optimizer, content: bytes) -> int:
    return len(optimizer.optimized(photo_of(content, Limits())).content)


def matrix_product(operations: float) -> Way:
    """Of two square matrices, in so many operations, by the runtime that runs the networks."""
    side = round((operations / 2) ** (1 / 3))
    one, other, both = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [side, side])
        for name in ("one", "other", "both")
    )
    product = helper.make_node("MatMul", ["one", "other"], ["both"])
    model = helper.make_model(
        helper.make_graph([product], "product", [one, other], [both]),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )
    factors = np.random.default_rng(0).random((2, side, side), np.float32)
    session = cpu_session(model.SerializeToString(), threads=1)
    return partial(session.run, None, dict(zip(("one", "other"), factors, strict=True)))
