"""What many threads ask of one device, gathered into batches by the one thread that drives it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread, current_thread
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # RGB (side, side, 3), 0..255
Probabilities = NDArray[np.float32]  # (side, side), 0..1
Outcome = Probabilities | Exception

CLOSING_S = 10.0
"""How long the end waits for a device that may never answer."""


class Batches(Protocol):
    """A device's way with several thumbnails at once; used by one thread alone."""

    @property
    def largest(self) -> int: ...

    @property
    def way(self) -> str:
        """How it goes about it, for people to read."""

    def outcomes(self, thumbnails: Sequence[Pixels]) -> Sequence[Outcome]:
        """One for each of at most `largest`, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    pixels: Pixels
    answer: Future[Probabilities] = field(default_factory=Future)


class Gathering:
    """Nobody waits for company: a batch is whoever asked while the one before was on the device.

    The device's batches are made, used and let go in one thread, since CUDA's provider keeps its
    graphs in the thread that captured them (`PerThreadContext` in ONNX Runtime).
    """

    def __init__(self, make: Callable[[], Batches]) -> None:
        """Returns once the batches are made; raises what `make` raises."""
        self._waiting: deque[_Request] = deque()
        self._changed = Condition()
        self._closed = False
        made: Future[str] = Future()
        self._thread = Thread(target=self._drive, args=(make, made), name="model", daemon=True)
        self._thread.start()
        self.way = made.result()

    def answer(self, pixels: Pixels) -> Probabilities:
        """Waits for it; raises what the device raised over these pixels.

        Raises RuntimeError once it is closed, or its thread has ended.
        """
        request = _Request(pixels)
        with self._changed:
            if self._closed:
                raise RuntimeError("the model has been closed")
            self._waiting.append(request)
            self._changed.notify()
        return request.answer.result()

    def close(self) -> None:
        """Who has asked is still answered; to close twice is fine."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if current_thread() is not self._thread:
            self._thread.join(CLOSING_S)

    def _drive(self, make: Callable[[], Batches], made: Future[str]) -> None:
        try:
            batches = make()
        except BaseException as error:  # noqa: BLE001  raised in the thread that waits for it
            made.set_exception(error)
            return
        made.set_result(batches.way)
        try:
            while requests := self._next(batches.largest):
                _settle(requests, batches)
        finally:
            self._give_up()

    def _next(self, most: int) -> list[_Request]:
        """Whoever waits, the first come first; nobody once all is closed and answered."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def _give_up(self) -> None:
        """None is left waiting for a thread that has ended."""
        with self._changed:
            self._closed = True
            left = list(self._waiting)
            self._waiting.clear()
        for request in left:
            request.answer.set_exception(RuntimeError("the thread that drives the model has ended"))


def _settle(requests: Sequence[_Request], batches: Batches) -> None:
    """Each has its answer or an error of its own afterwards, whatever is raised here."""
    try:
        outcomes = batches.outcomes([request.pixels for request in requests])
        for request, outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, Exception):
                request.answer.set_exception(outcome)
            else:
                request.answer.set_result(outcome)
    except Exception as error:  # noqa: BLE001  the next batch may do better
        _fail(requests, error)
    except BaseException as error:
        _fail(requests, error)
        raise


def _fail(requests: Sequence[_Request], error: BaseException) -> None:
    """A traceback grows where an exception is raised, so no two threads share one."""
    for request in requests:
        if not request.answer.done():
            failed = RuntimeError(str(error) or type(error).__name__)
            failed.__cause__ = error
            request.answer.set_exception(failed)
