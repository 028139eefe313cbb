"""Batches of a few fixed sizes, their buffers on the device made once, as CUDA graphs or not."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from service.adapters.onnx_gathering import Outcome, Pixels, Probabilities
from service.adapters.onnx_session import (
    INPUT,
    NO_GRAPH,
    OUTPUT,
    buffer_on,
    first_line,
    options_of_run,
)

if TYPE_CHECKING:
    import onnxruntime as ort  # only `onnx_session` imports it, and sees to its telemetry first

LARGEST = 32
"""Beyond it a GPU is as busy as it gets, and photos only wait longer."""
TRIALS = 4
"""ONNX Runtime makes two plain runs, captures in the third, and replays from then on
(`min_num_runs_before_cuda_graph_capture_` of its CUDA provider)."""
TOLERANCE = 1e-3
"""By so much an answer may differ from a plain run's."""


class GraphRefused(Exception):
    """A CUDA graph does not hold for this model here; the message says why."""


class OpensSession(Protocol):
    def __call__(self, *, graphs: bool) -> ort.InferenceSession: ...


def sizes_for(callers: int) -> tuple[int, ...]:
    """Powers of two up to the first that holds as many as ask at once, at most `LARGEST`."""
    sizes = [1]
    while sizes[-1] < min(callers, LARGEST):
        sizes.append(2 * sizes[-1])
    return tuple(sizes)


class Bucket:
    """Buffers of one size, bound to the model; their addresses stay, as a CUDA graph needs it.

    The calls are those of ONNX Runtime's page "I/O Binding", for graphs those of "CUDA Execution
    Provider": `gpu_graph_id` tells graphs of other shapes apart, and -1 runs without one.
    """

    def __init__(self, session: ort.InferenceSession, device: str, *, size: int, side: int) -> None:
        self.size = size
        self._session = session
        self._staged = np.zeros((size, side, side, 3), dtype=np.uint8)
        self._pixels = buffer_on(device, self._staged.shape, dtype=np.uint8)
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(INPUT, self._pixels)
        answers = buffer_on(device, (size, side, side), dtype=np.float32)
        self._binding.bind_ortvalue_output(OUTPUT, answers)
        self._plain, self._graph = options_of_run(NO_GRAPH), options_of_run(size)
        self._way = self._plain

    def answers(self, thumbnails: Sequence[Pixels]) -> list[Probabilities]:
        """One for each of at most `size`; an answer depends on nothing else in the bucket."""
        self._staged[len(thumbnails) :] = 0
        np.stack(thumbnails, out=self._staged[: len(thumbnails)])
        return list(self._run(self._way)[: len(thumbnails)])

    def capture(self) -> None:
        """From now on runs are replays of a graph; raises `GraphRefused`, or what CUDA raises."""
        for trial in range(TRIALS):
            self.compare(seed=trial)
        self._way = self._graph

    def compare(self, *, seed: int) -> None:
        """The graph with a plain run, on noise; raises `GraphRefused` where they differ."""
        noise = np.random.default_rng(seed)
        self._staged[:] = noise.integers(0, 256, self._staged.shape, dtype=np.uint8)
        apart = np.abs(self._run(self._graph) - self._run(self._plain)).max()
        if not apart <= TOLERANCE:  # so written, a NaN is refused too
            raise GraphRefused(
                f"in batches of {self.size} its answers differ from a plain run's by {apart:.4f}"
            )

    def _run(self, way: ort.RunOptions) -> NDArray[np.float32]:
        """(size, side, side), in memory of its own."""
        self._pixels.update_inplace(self._staged)
        self._session.run_with_iobinding(self._binding, way)
        found: NDArray[np.float32] = self._binding.copy_outputs_to_cpu()[0]
        return found


class Buckets:
    """The smallest bucket that holds a batch takes it; one that fails is tried in halves."""

    def __init__(self, buckets: Sequence[Bucket]) -> None:
        """`buckets` in the order of their sizes."""
        self._buckets = tuple(buckets)
        self._sizes = tuple(bucket.size for bucket in buckets)
        self._kind = "plain runs"

    @property
    def way(self) -> str:
        """Such as `CUDA graphs of 1, 2, 4 photos`."""
        return f"{self._kind} of {', '.join(map(str, self._sizes))} photos"

    @property
    def largest(self) -> int:
        return self._sizes[-1]

    def outcomes(self, thumbnails: Sequence[Pixels]) -> list[Outcome]:
        """Another program may take the device's memory at any time, so smaller ones are tried."""
        bucket = self._buckets[bisect_left(self._sizes, len(thumbnails))]
        try:
            return [*bucket.answers(thumbnails)]
        except Exception as error:  # noqa: BLE001  the runtime raises what it likes
            if len(thumbnails) == 1:
                return [error]
            why = first_line(error)
            structlog.get_logger().warning("model.batch_failed", size=bucket.size, why=why)
        half = len(thumbnails) // 2
        return self.outcomes(thumbnails[:half]) + self.outcomes(thumbnails[half:])

    def capture(self) -> None:
        """All of them as graphs; raises `GraphRefused`, or what CUDA raises.

        Compared once more at the end: what one graph uses, no later one may have taken.
        """
        for bucket in self._buckets:
            bucket.capture()
        for bucket in self._buckets:
            bucket.compare(seed=TRIALS)
        self._kind = "CUDA graphs"


def warm_buckets(
    session: ort.InferenceSession, device: str, *, sizes: Sequence[int], side: int
) -> Buckets:
    """Those that the device has memory for; raises what it raises over the smallest."""
    buckets: list[Bucket] = []
    for size in sizes:
        try:
            bucket = Bucket(session, device, size=size, side=side)
            bucket.answers([np.zeros((side, side, 3), dtype=np.uint8)] * size)
        except Exception as error:
            if not buckets:
                raise
            structlog.get_logger().warning(
                "model.smaller_batches", largest=buckets[-1].size, why=first_line(error)
            )
            break
        buckets.append(bucket)
    return Buckets(buckets)


def cuda_buckets(session: OpensSession, device: str, *, sizes: Sequence[int], side: int) -> Buckets:
    """As CUDA graphs where they hold, else as plain runs of a session that knows none.

    A capture that fails leaves its stream unusable: that session is gone before the next is made.
    """
    graphs = _graphs(session, device, sizes=sizes, side=side)
    if isinstance(graphs, Buckets):
        return graphs
    structlog.get_logger().warning("model.no_cuda_graphs", why=graphs)
    return warm_buckets(session(graphs=False), device, sizes=sizes, side=side)


def _graphs(
    session: OpensSession, device: str, *, sizes: Sequence[int], side: int
) -> Buckets | str:
    """What says why not is no exception, which would keep the failed session alive."""
    try:
        buckets = warm_buckets(session(graphs=True), device, sizes=sizes, side=side)
        buckets.capture()
    except Exception as error:  # noqa: BLE001  whatever it is, the model may run without graphs
        return first_line(error)
    return buckets
