"""Requests of many threads, gathered for a device that the tests hold up as they like."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread, current_thread

import numpy as np
import pytest
from numpy.typing import NDArray

from service.adapters.onnx_gathering import Gathering, Outcome

PATIENCE_S = 30


class Device:
    """Answers with twice the first value; each batch passes once it is let through."""

    way = "held up"

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self.batches: list[list[int]] = []
        self.threads: set[Thread] = set()
        self.begun, self.free = Event(), Event()
        self.error: BaseException | None = None

    def outcomes(self, thumbnails: Sequence[NDArray[np.uint8]]) -> list[Outcome]:
        self.batches.append([int(each[0]) for each in thumbnails])
        self.threads.add(current_thread())
        self.begun.set()
        assert self.free.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        return [each.astype(np.float32) * 2 for each in thumbnails]


@contextmanager
def gathered(device: Device) -> Iterator[Gathering]:
    gathering = Gathering(lambda: device)
    try:
        yield gathering
    finally:
        device.free.set()
        gathering.close()


@contextmanager
def asked(gathering: Gathering, device: Device, count: int) -> Iterator[list[Future[int]]]:
    """That many callers; the first has the device for itself, the others wait in their order."""
    with ThreadPoolExecutor(count) as pool:
        callers = []
        for number in range(count):
            callers.append(pool.submit(answer, gathering, number))
            assert device.begun.wait(PATIENCE_S)
            await_that(partial(waiting, gathering, number))
        try:
            yield callers
        finally:
            device.free.set()


def waiting(gathering: Gathering, count: int) -> bool:
    return len(gathering._waiting) >= count


def await_that(holds: Callable[[], bool]) -> None:
    pause = Event()
    while not holds():
        pause.wait(0.001)


def answer(gathering: Gathering, number: int) -> int:
    return int(gathering.answer(np.array([number], dtype=np.uint8))[0])


def test_who_asks_while_the_device_is_busy_is_gathered_first_come_first_served() -> None:
    device = Device(largest=4)
    with gathered(device) as gathering, asked(gathering, device, 10) as callers:
        device.free.set()
        assert [caller.result(PATIENCE_S) for caller in callers] == [2 * n for n in range(10)]
    assert device.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]


def test_one_alone_waits_for_nobody() -> None:
    device = Device(largest=8)
    device.free.set()
    with gathered(device) as gathering:
        assert [answer(gathering, number) for number in range(3)] == [0, 2, 4]
    assert device.batches == [[0], [1], [2]]


def test_one_thread_makes_and_drives_the_device() -> None:
    device, made_in = Device(largest=2), set[Thread]()
    device.free.set()

    def make() -> Device:
        made_in.add(current_thread())
        return device

    gathering = Gathering(make)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: answer(gathering, number), range(20)))
    gathering.close()
    assert gathering.way == "held up"
    assert made_in == device.threads != {current_thread()}


def test_device_that_cannot_be_made_is_told_to_whom_makes_it() -> None:
    def make() -> Device:
        raise MemoryError("the device is full")

    with pytest.raises(MemoryError, match="the device is full"):
        Gathering(make)


def test_failing_batch_fails_for_its_callers_alone() -> None:
    device = Device(largest=2)
    with gathered(device) as gathering, asked(gathering, device, 3) as callers:
        device.error = ValueError("gone")
        device.free.set()
        errors = [caller.exception(PATIENCE_S) for caller in callers]
        device.error = None
        assert answer(gathering, 7) == 14
    assert [str(error) for error in errors] == ["gone"] * 3
    assert len({id(error) for error in errors}) == 3
    assert all(isinstance(error.__cause__, ValueError) for error in errors if error)


def test_outcome_that_is_an_error_reaches_its_own_caller() -> None:
    class Choosy(Device):
        def outcomes(self, thumbnails: Sequence[NDArray[np.uint8]]) -> list[Outcome]:
            answers = zip(thumbnails, super().outcomes(thumbnails), strict=True)
            return [ValueError("odd") if asked[0] % 2 else found for asked, found in answers]

    device = Choosy(largest=8)
    with gathered(device) as gathering, asked(gathering, device, 6) as callers:
        device.free.set()
        odd = [str(caller.exception(PATIENCE_S)) for caller in callers]
    assert odd == ["None", "odd", "None", "odd", "None", "odd"]


def test_too_few_outcomes_leave_nobody_waiting() -> None:
    class Short(Device):
        def outcomes(self, thumbnails: Sequence[NDArray[np.uint8]]) -> list[Outcome]:
            return super().outcomes(thumbnails)[:1]

    device = Short(largest=8)
    with gathered(device) as gathering, asked(gathering, device, 3) as callers:
        device.free.set()
        errors = [caller.exception(PATIENCE_S) for caller in callers]
    assert [type(error) for error in errors] == [type(None), type(None), RuntimeError]


def test_who_waits_at_the_end_is_answered_and_who_comes_later_refused() -> None:
    device = Device(largest=2)
    with gathered(device) as gathering, asked(gathering, device, 5) as callers:
        closer = Thread(target=gathering.close)
        closer.start()
        await_that(lambda: gathering._closed)
        with pytest.raises(RuntimeError, match="closed"):
            answer(gathering, 9)
        device.free.set()
        assert [caller.result(PATIENCE_S) for caller in callers] == [0, 2, 4, 6, 8]
        closer.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in device.threads)


def test_closing_twice_is_fine() -> None:
    gathering = Gathering(lambda: Device(largest=1))
    gathering.close()
    gathering.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread_that_dies_leaves_nobody_waiting() -> None:
    device = Device(largest=2)
    with gathered(device) as gathering, asked(gathering, device, 5) as callers:
        device.error = KeyboardInterrupt()
        device.free.set()
        errors = [caller.exception(PATIENCE_S) for caller in callers]
        with pytest.raises(RuntimeError, match="closed"):
            answer(gathering, 9)
    assert [type(error) for error in errors] == [RuntimeError] * 5
    assert len(device.batches) == 1
