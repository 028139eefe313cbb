"""Waiting for what does not answer, and pacing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event, Timer

import pytest

from service.core.errors import Unavailable
from service.core.job import Worker
from service.usecases.pace import Pace
from service.usecases.patience import Interrupted, Patience
from service.usecases.work import SILENT_S, Watch

OUTAGE = Unavailable("store.unavailable", "it does not answer")


def test_an_outage_is_outlasted() -> None:
    answers: Iterator[Unavailable | str] = iter([OUTAGE, "there again"])

    def work() -> str:
        answer = next(answers)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    assert Patience(Event()).outlasts(work) == "there again"


def test_waiting_ends_when_the_process_is_to_end() -> None:
    stop = Event()
    Timer(0.05, stop.set).start()

    def work() -> None:
        raise OUTAGE

    with pytest.raises(Interrupted):
        Patience(stop).outlasts(work)


def test_many_that_meet_the_same_outage_wait_for_it_once() -> None:
    patience = Patience(Event())

    for _ in range(8):
        patience.met(OUTAGE)

    assert patience.is_waiting
    assert patience.delay_s == 1.0


def test_a_pace_lets_one_through_at_a_time() -> None:
    pace = Pace(per_second=0.001)

    assert [pace.allows() for _ in range(3)] == [True, False, False]


def test_no_pace_lets_all_through() -> None:
    pace = Pace(None)

    assert all(pace.allows() for _ in range(1000))


def worker(beat: int) -> Worker:
    moment = datetime(2026, 3, 1, 12, 0, beat, tzinfo=UTC)
    return Worker("far-0", "far", moment, moment)


def test_a_worker_whose_heartbeat_stays_the_same_is_silent() -> None:
    watch = Watch()

    assert watch.silent((worker(1),), now_s=0.0) == []
    assert watch.silent((worker(1),), now_s=SILENT_S - 1) == []
    assert watch.silent((worker(1),), now_s=SILENT_S) == ["far-0"]


def test_a_worker_that_tells_anything_new_lives_whatever_its_clock_says() -> None:
    watch = Watch()
    watch.silent((worker(30),), now_s=0.0)

    assert watch.silent((worker(10),), now_s=SILENT_S) == []
    assert watch.silent((worker(10),), now_s=SILENT_S + 1) == []
