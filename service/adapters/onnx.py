"""The model in ONNX Runtime: verified, on the device that was asked for, and warm."""

from __future__ import annotations

import hashlib
import re
import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from service.adapters.onnx_buckets import cuda_buckets, sizes_for
from service.adapters.onnx_gathering import Gathering
from service.adapters.onnx_session import (
    CPU,
    CUDA,
    INPUT,
    OUTPUT,
    available_providers,
    cpu_session,
    cuda_is_present,
    cuda_session,
    first_line,
    no_cuda,
    wants_cuda,
)
from service.core.errors import Misconfigured, Unavailable
from service.ports import ModelDescription
from service.settings import Device

if TYPE_CHECKING:
    import onnxruntime as ort  # only `onnx_session` imports it, and sees to its telemetry first

__all__ = [
    "CPU",
    "CUDA",
    "OnnxSegmenter",
    "available_providers",
    "cuda_is_present",
    "load_segmenter",
]

FORMAT = "1"
"""The layout of input, output and metadata that `models.export` writes."""


class Inference(Protocol):
    """A session's way with what many threads ask; raises what the runtime raises."""

    @property
    def way(self) -> str:
        """In words for people to read."""

    def answer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]: ...

    def close(self) -> None: ...


class OneByOne:
    """Each thread runs its own photo; on a CPU a batch takes longer than its photos by turns."""

    way = "one photo at a time"

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def answer(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        (batch,) = self._session.run([OUTPUT], {INPUT: pixels[np.newaxis]})
        result: NDArray[np.float32] = batch[0]
        return result

    def close(self) -> None:
        """There is no thread to end."""


class OnnxSegmenter:
    """Segments one photo for each caller; safe to call from many threads."""

    def __init__(self, inference: Inference, description: ModelDescription) -> None:
        self._inference = inference
        self._description = description
        self._end = weakref.finalize(self, inference.close)

    @property
    def description(self) -> ModelDescription:
        return self._description

    @property
    def way(self) -> str:
        """How the photos of several threads are run, in words for people to read."""
        return self._inference.way

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(side, side) in 0..1 of RGB (side, side, 3) in 0..255.

        Raises `Unavailable` `model.unavailable` where the runtime fails, say for want of memory.
        """
        try:
            return self._inference.answer(pixels)
        except Exception as error:
            raise Unavailable(
                "model.unavailable",
                f"the model fails on {self._description.provider} ({first_line(error)}); "
                "restart the service if this stays",
            ) from error

    def close(self) -> None:
        """Ends its thread where it has one; happens by itself when nobody refers to it."""
        self._end()


def load_segmenter(path: Path, device: Device, *, threads: int, callers: int = 1) -> OnnxSegmenter:
    """The model of an ONNX file exported by this project, warmed by one inference.

    On a CPU `threads` work on each photo; on a GPU batches hold up to `callers`, as many as ask at
    once. Raises `Misconfigured` where the file is missing, is not what its model card says, or
    does not run on the device that was asked for.
    """
    content = _verified(path)
    if wants_cuda(device):
        try:
            return _on_cuda(content, path, callers=callers)
        except Misconfigured:
            if device is Device.CUDA:
                raise
    session = cpu_session(content, threads=threads)
    return _warmed(OneByOne(session), _description(session, content, path), path)


def _on_cuda(content: bytes, path: Path, *, callers: int) -> OnnxSegmenter:
    open_session = partial(cuda_session, content)
    description = _description(open_session(graphs=False), content, path)
    sizes, side = sizes_for(callers), description.side
    try:
        gathering = Gathering(lambda: cuda_buckets(open_session, "cuda", sizes=sizes, side=side))
    except Exception as error:
        raise no_cuda(f"the model cannot be run there ({first_line(error)})") from error
    return _warmed(gathering, description, path)


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


def _description(session: ort.InferenceSession, content: bytes, path: Path) -> ModelDescription:
    metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    if metadata.get("metercrop.format") != FORMAT:
        raise _foreign(path, f"carries no metercrop.format {FORMAT}")
    try:
        return ModelDescription(
            name=metadata["metercrop.name"],
            version=metadata["metercrop.version"],
            licence=metadata["metercrop.licence"],
            sha256=hashlib.sha256(content).hexdigest(),
            provider=session.get_providers()[0],
            side=int(metadata["metercrop.side"]),
            threshold=float(metadata["metercrop.threshold"]),
            min_confidence=float(metadata["metercrop.min_confidence"]),
        )
    except (KeyError, ValueError) as error:
        raise _foreign(path, f"has no usable metadata {error}") from error


def _warmed(inference: Inference, description: ModelDescription, path: Path) -> OnnxSegmenter:
    """After one inference, which shows too whether input and output are as they should be."""
    segmenter, side = OnnxSegmenter(inference, description), description.side
    try:
        answer = segmenter.probabilities(np.zeros((side, side, 3), dtype=np.uint8))
    except Unavailable as error:
        raise _foreign(path, f"cannot be run: {error}") from error
    if answer.shape != (side, side) or not 0.0 <= answer.min() <= answer.max() <= 1.0:
        raise _foreign(path, f"answers {answer.shape}, not probabilities of {(side, side)}")
    return segmenter


def _foreign(path: Path, why: str) -> Misconfigured:
    return Misconfigured(
        "model.foreign",
        f"{path} {why}; only files that `metercrop-models export` wrote can be used",
    )
