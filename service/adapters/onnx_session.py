"""Sessions of ONNX Runtime, on the device that was asked for or not at all."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import numpy as np
from numpy.typing import DTypeLike

# Imported without this, ONNX Runtime writes a device id and reports its use to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

from service.core.errors import Misconfigured
from service.settings import Device

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
INPUT, OUTPUT = "pixels", "probabilities"
NO_GRAPH = -1
"""The graph's number that has ONNX Runtime neither capture nor replay one in a run."""
CUDA_ENTRIES = {
    # ONNX Runtime alone would run on the CPU, in silence, what the GPU cannot.
    "session.disable_cpu_ep_fallback": "1",
    # CUDA has no kernel for a bias in int32: an INT8 model's weights are made floats beforehand.
    "session.disable_quant_qdq": "1",
}
WARNING, FATAL = 2, 4
"""Severities of ONNX Runtime's own log."""


def available_providers() -> tuple[str, ...]:
    """What this build of ONNX Runtime could run on, were the hardware there."""
    return tuple(ort.get_available_providers())


def cuda_is_present() -> bool:
    """Whether NVIDIA's driver is installed; the GPU build of ONNX Runtime lists CUDA regardless."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return CUDA in ort.get_available_providers()


def wants_cuda(device: Device) -> bool:
    """Whether CUDA is to be tried; with `auto` the CPU does where it fails."""
    return device is Device.CUDA or (device is Device.AUTO and cuda_is_present())


def cpu_session(content: bytes, *, threads: int) -> ort.InferenceSession:
    """Raises `Misconfigured` `model.unusable`."""
    return _loaded(content, _options(threads), [CPU])


def cuda_session(content: bytes, *, graphs: bool) -> ort.InferenceSession:
    """A session whose every node runs on the GPU, with `graphs` one that can capture them.

    Raises `Misconfigured` `device.cuda`.
    """
    if not cuda_is_present():
        raise no_cuda("there is no NVIDIA driver")
    options = _options(threads=1)
    for name, value in CUDA_ENTRIES.items():
        options.add_session_config_entry(name, value)
    with _quiet_runtime():
        if hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        try:
            session = _loaded(content, options, [(CUDA, cuda_options(graphs=graphs))])
        except Misconfigured as error:
            raise no_cuda(str(error)) from error
    if session.get_providers()[0] != CUDA:
        raise no_cuda(f"ONNX Runtime runs on {session.get_providers()[0]}")
    session.disable_fallback()
    return session


def cuda_options(*, graphs: bool) -> dict[str, str]:
    """As ONNX Runtime's page "CUDA Execution Provider" names and explains them.

    cuDNN's search times each algorithm once a shape, so few fixed shapes make it cheap. Graphs
    need every node on the GPU, none with control flow, and buffers whose addresses stay. Without
    TF32's short mantissas an answer hardly depends on the batch that it is a part of.
    """
    options = {
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "use_tf32": "0",
    }
    return options | {"enable_cuda_graph": "1"} if graphs else options


def options_of_run(graph: int) -> ort.RunOptions:
    """`graph` is the number to capture and replay under, or `NO_GRAPH`.

    The entry `gpu_graph_id` is ONNX Runtime's `kOrtRunOptionsConfigCudaGraphAnnotation`.
    """
    options = ort.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(graph))
    options.log_severity_level = FATAL  # what fails is raised, and said once
    return options


def buffer_on(device: str, shape: tuple[int, ...], *, dtype: DTypeLike) -> ort.OrtValue:
    """Memory of the device, `cuda` or `cpu`, that keeps its address."""
    return ort.OrtValue.ortvalue_from_shape_and_type(shape, np.dtype(dtype).type, device, 0)


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the CPU from the other photos being worked on.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps what the largest run took for good; one small fixed input needs none.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = FATAL  # what fails is raised, and said once
    return options


@contextmanager
def _quiet_runtime() -> Iterator[None]:
    """While it looks for CUDA, ONNX Runtime prints each library that it misses."""
    ort.set_default_logger_severity(FATAL)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        ort.set_default_logger_severity(WARNING)


def no_cuda(why: str) -> Misconfigured:
    return Misconfigured(
        "device.cuda",
        f"METERCROP_DEVICE asks for cuda, but {why}; are a GPU, its driver, CUDA 13 and cuDNN 9 "
        "here? `pip install 'metercrop[cuda]'` brings the libraries",
    )


def _loaded(
    content: bytes, options: ort.SessionOptions, providers: list[object]
) -> ort.InferenceSession:
    try:
        return ort.InferenceSession(content, options, providers=providers)
    except Exception as error:
        raise Misconfigured(
            "model.unusable", f"ONNX Runtime cannot load the model: {first_line(error)}"
        ) from error
