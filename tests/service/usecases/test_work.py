"""How often a worker looks for what is to be done."""

from __future__ import annotations

import pytest

from service.usecases.work import LONGEST_LOOK_S, LOOK_S, pause_s


@pytest.mark.parametrize(
    ("looked_s", "waits_s"), [(0.0, LOOK_S), (0.001, LOOK_S), (0.02, 1.0), (30.0, LONGEST_LOOK_S)]
)
def test_the_longer_a_look_takes_the_seldomer_it_is_taken(looked_s: float, waits_s: float) -> None:
    assert pause_s(looked_s) == pytest.approx(waits_s)
