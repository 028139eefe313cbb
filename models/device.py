"""Where training computes, how exactly, and how it is made to repeat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import torch

from service.adapters.machine import usable_cpus


class Precision(StrEnum):
    """`mixed` computes in 16 bits what bears it; weights, their average and the loss keep 32."""

    FULL = "full"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Place:
    """`workers` prepare views beside the learning process."""

    device: torch.device
    precision: Precision
    workers: int

    @property
    def on_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def half(self) -> torch.dtype:
        """bfloat16 has the range of float32; older GPUs know float16 alone, and need a scaler."""
        if not self.on_cuda or torch.cuda.is_bf16_supported():
            return torch.bfloat16
        return torch.float16

    def autocast(self) -> torch.autocast:
        mixed = self.precision is Precision.MIXED
        return torch.autocast(self.device.type, dtype=self.half, enabled=mixed)

    def scaler(self) -> torch.amp.GradScaler:
        scaled = self.precision is Precision.MIXED and self.half is torch.float16
        return torch.amp.GradScaler("cuda", enabled=scaled)


def place(
    device: str = "cpu", precision: Precision | None = None, *, workers: int | None = None
) -> Place:
    """Unset, precision is mixed on CUDA and full elsewhere; workers are one, on CUDA one a core.

    Raises ValueError for a device that PyTorch does not know or does not see here.
    """
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"PyTorch knows no device {device!r}; cpu and cuda are two") from error
    on_cuda = found.type == "cuda"
    if on_cuda and not torch.cuda.is_available():
        raise ValueError(
            f"PyTorch {torch.__version__} sees no CUDA device here; install its CUDA build and a "
            "driver, or train with `--device cpu`"
        )
    usual = Precision.MIXED if on_cuda else Precision.FULL
    if workers is None:
        workers = usable_cpus() if on_cuda else 1
    return Place(found, precision or usual, workers)


@contextmanager
def repeatable() -> Iterator[None]:
    """Within it PyTorch takes the way that repeats, and warns where the hardware has none."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS repeats only with it
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    # Memory that nothing was written to would be filled as well: that costs time, and none is read.
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]  # torch
    _repeat(on=True, warn_only=True, filled=False)
    try:
        yield
    finally:
        _repeat(on=before, warn_only=warned, filled=filled)


def _repeat(*, on: bool, warn_only: bool, filled: bool) -> None:
    torch.use_deterministic_algorithms(on, warn_only=warn_only)
    torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]  # torch
