"""A model at the service's work: the way of a photo as it is gone there by default."""

from __future__ import annotations

from pathlib import Path

from service.adapters.machine import usable_cpus
from service.adapters.onnx import load_segmenter
from service.core.crop import CropPolicy
from service.core.encoding import Encoding
from service.ports import Segmenter
from service.settings import Device
from service.usecases.optimize import Optimizer


def optimizer_of(
    model: Path, device: Device = Device.AUTO, *, threads: int | None = None
) -> Optimizer:
    """The way of a photo as the service goes it by default, with this model; crops alone.

    All CPUs work on it where `threads` says nothing.
    """
    segmenter = segmenter_of(model, device, threads=threads)
    said = segmenter.description
    policy = CropPolicy(threshold=said.threshold, min_confidence=said.min_confidence)
    return Optimizer(segmenter, policy, Encoding.AUTO, keep_gps=False, context_px=0)


def segmenter_of(
    model: Path, device: Device = Device.AUTO, *, threads: int | None = None
) -> Segmenter:
    return load_segmenter(model, device, threads=threads or usable_cpus())
