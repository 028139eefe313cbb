"""How much is worked on at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from service.api.admission import Admission
from service.core.budget import Budget
from service.core.errors import Unavailable


def test_budget_gives_no_more_than_its_limit() -> None:
    budget = Budget(100)

    assert budget.take(60)
    assert budget.take(40)
    assert not budget.take(1)
    budget.give_back(40)
    assert budget.take(40)


def test_what_is_larger_than_the_budget_gets_in_alone() -> None:
    budget = Budget(100)

    assert budget.take(250)
    assert not budget.take(1)
    budget.give_back(250)
    assert budget.take(1)
    assert not budget.take(250)


def test_budget_counts_right_under_many_threads() -> None:
    budget = Budget(10)

    def work(_: int) -> bool:
        taken = budget.take(3)
        assert budget.held <= 10
        if taken:
            budget.give_back(3)
        return taken

    with ThreadPoolExecutor(16) as pool:
        assert any(pool.map(work, range(2_000)))
    assert budget.held == 0


def test_photo_waits_for_room_and_then_gets_it() -> None:
    order: list[str] = []

    async def scene(admission: Admission) -> None:
        await asyncio.gather(
            _enter(admission, 80, "first", order, stays_s=0.05),
            _enter(admission, 80, "second", order),
        )

    _play(scene(admission := Admission(Budget(100), patience_s=60.0)))

    assert order == ["first in", "first out", "second in", "second out"]
    assert admission.budget.held == 0


def test_photo_that_finds_no_room_in_time_is_refused() -> None:
    async def scene(admission: Admission) -> None:
        async with admission.admitted(80):
            with pytest.raises(Unavailable) as refusal:
                await _enter(admission, 80, "second", [])
        assert refusal.value.code == "service.busy"
        assert refusal.value.retry_after_s > 0
        await _enter(admission, 80, "second", [])

    _play(scene(admission := Admission(Budget(100), patience_s=0.05)))

    assert admission.budget.held == 0


def test_large_photo_is_not_overtaken_by_small_ones() -> None:
    order: list[str] = []

    async def scene(admission: Admission) -> None:
        small = [_enter(admission, 30, f"small {n}", order, stays_s=0.02) for n in range(3)]
        large = _enter(admission, 100, "large", order)
        later = [_enter(admission, 30, f"later {n}", order) for n in range(3)]
        await asyncio.gather(*small, large, *later)

    _play(scene(Admission(Budget(100), patience_s=60.0)))

    first_later = min(order.index(f"later {n} in") for n in range(3))
    assert order.index("large in") < first_later


def test_photo_whose_work_fails_gives_its_room_back() -> None:
    async def scene(admission: Admission) -> None:
        with pytest.raises(ZeroDivisionError):
            async with admission.admitted(80):
                raise ZeroDivisionError

    _play(scene(admission := Admission(Budget(100), patience_s=0.05)))

    assert admission.budget.held == 0


def test_photos_never_hold_more_than_the_budget_together() -> None:
    held: list[int] = []

    async def one(admission: Admission, pixels: int) -> None:
        async with admission.admitted(pixels):
            held.append(admission.budget.held)
            await asyncio.sleep(0.001)

    async def scene(admission: Admission) -> None:
        await asyncio.gather(*(one(admission, 7 + n % 50) for n in range(100)))

    _play(scene(Admission(Budget(100), patience_s=60.0)))

    assert len(held) == 100
    assert max(held) <= 100
    assert any(before != after for before, after in pairwise(held))


async def _enter(
    admission: Admission, pixels: int, name: str, order: list[str], *, stays_s: float = 0.0
) -> None:
    async with admission.admitted(pixels):
        order.append(f"{name} in")
        await asyncio.sleep(stays_s)
        order.append(f"{name} out")


def _play(scene: Coroutine[object, object, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 120.0))
