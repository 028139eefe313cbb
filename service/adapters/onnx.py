"""The model in ONNX Runtime: verified, on the device that was asked for, and warm."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Imported without this, ONNX Runtime writes a device id and reports its use to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

from service.core.errors import Misconfigured, Unavailable
from service.ports import ModelDescription
from service.settings import Device

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
WARNING, FATAL = 2, 4
"""Severities of ONNX Runtime's own log."""
FORMAT = "1"
"""The layout of input, output and metadata that `models.export` writes."""


class OnnxSegmenter:
    """Segments one photo at a time; safe to call from many threads."""

    def __init__(self, session: ort.InferenceSession, description: ModelDescription) -> None:
        self._session = session
        self._description = description

    @property
    def description(self) -> ModelDescription:
        return self._description

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(side, side) in 0..1 of RGB (side, side, 3) in 0..255.

        Raises `Unavailable` `model.unavailable` where the runtime fails, say for want of memory.
        """
        try:
            (batch,) = self._session.run(["probabilities"], {"pixels": pixels[np.newaxis]})
        except Exception as error:
            raise Unavailable(
                "model.unavailable",
                f"the model fails on {self._description.provider} ({_first_line(error)}); "
                "restart the service if this stays",
            ) from error
        result: NDArray[np.float32] = batch[0]
        return result


def load_segmenter(path: Path, device: Device, *, threads: int) -> OnnxSegmenter:
    """The model of an ONNX file exported by this project, warmed by one inference.

    Raises `Misconfigured` where the file is missing, is not what its model card says, or does not
    run on the device that was asked for.
    """
    content = _verified(path)
    session = _session(content, device, threads=threads)
    description = _description(session, hashlib.sha256(content).hexdigest(), path)
    segmenter = OnnxSegmenter(session, description)
    _warm(segmenter, path)
    return segmenter


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


def _verified(path: Path) -> bytes:
    """The file's bytes, once they match the hash in the model card beside it."""
    card = path.with_suffix(".md")
    try:
        content, said = path.read_bytes(), card.read_text()
    except OSError as error:
        raise Misconfigured(
            "model.missing",
            f"cannot read {error.filename} ({error.strerror}); set METERCROP_MODEL to a file that "
            "`metercrop-models export` wrote, its model card beside it",
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if re.search(rf"\b{sha256}\b", said) is None:
        raise Misconfigured(
            "model.unverified",
            f"the SHA-256 of {path} is {sha256}, which its card {card.name} does not name; "
            "restore the file or export it again",
        )
    return content


def _session(content: bytes, device: Device, *, threads: int) -> ort.InferenceSession:
    if device is Device.CUDA or (device is Device.AUTO and cuda_is_present()):
        try:
            return _cuda_session(content, _options(threads))
        except Misconfigured:
            if device is Device.CUDA:
                raise
    return _loaded(content, _options(threads), [CPU])


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


def _cuda_session(content: bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """A session whose every node runs on the GPU; ONNX Runtime alone would fall back in silence."""
    if not cuda_is_present():
        raise _no_cuda("there is no NVIDIA driver")
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    provider = (CUDA, {"arena_extend_strategy": "kSameAsRequested"})
    with _quiet_runtime():
        if hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        try:
            session = _loaded(content, options, [provider])
        except Misconfigured as error:
            raise _no_cuda(str(error)) from error
    if session.get_providers()[0] != CUDA:
        raise _no_cuda(f"ONNX Runtime runs on {session.get_providers()[0]}")
    session.disable_fallback()
    return session


@contextmanager
def _quiet_runtime() -> Iterator[None]:
    """While it looks for CUDA, ONNX Runtime prints each library that it misses."""
    ort.set_default_logger_severity(FATAL)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        ort.set_default_logger_severity(WARNING)


def _no_cuda(why: str) -> Misconfigured:
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
            "model.unusable", f"ONNX Runtime cannot load the model: {_first_line(error)}"
        ) from error


def _description(session: ort.InferenceSession, sha256: str, path: Path) -> ModelDescription:
    metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    if metadata.get("metercrop.format") != FORMAT:
        raise _foreign(path, f"carries no metercrop.format {FORMAT}")
    try:
        return ModelDescription(
            name=metadata["metercrop.name"],
            version=metadata["metercrop.version"],
            licence=metadata["metercrop.licence"],
            sha256=sha256,
            provider=session.get_providers()[0],
            side=int(metadata["metercrop.side"]),
            threshold=float(metadata["metercrop.threshold"]),
            min_confidence=float(metadata["metercrop.min_confidence"]),
        )
    except (KeyError, ValueError) as error:
        raise _foreign(path, f"has no usable metadata {error}") from error


def _warm(segmenter: OnnxSegmenter, path: Path) -> None:
    """One inference, which shows too whether input and output are as they should be."""
    side = segmenter.description.side
    try:
        answer = segmenter.probabilities(np.zeros((side, side, 3), dtype=np.uint8))
    except Unavailable as error:
        raise _foreign(path, f"cannot be run: {error}") from error
    if answer.shape != (side, side) or not 0.0 <= answer.min() <= answer.max() <= 1.0:
        raise _foreign(path, f"answers {answer.shape}, not probabilities of {(side, side)}")


def _foreign(path: Path, why: str) -> Misconfigured:
    return Misconfigured(
        "model.foreign",
        f"{path} {why}; only files that `metercrop-models export` wrote can be used",
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
