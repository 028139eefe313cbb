"""Optimizers and rates, as recipes name them."""

import pytest
import torch
from torch import nn

from models.learner import (
    Learner,
    Optimizer,
    OptimizerKind,
    Pace,
    Schedule,
    ScheduleKind,
    averaged_of,
    optimizer_of,
    schedule_of,
)

STEPS = 3


def learner(optimizer: Optimizer, schedule: Schedule | None = None) -> Learner:
    torch.manual_seed(0)
    network = nn.Conv2d(1, 1, 1)
    made = optimizer_of(network, optimizer, rate=0.1)
    pace = Pace(0.1, cycle_epochs=4, steps_an_epoch=STEPS)
    rate = schedule_of(made, schedule or Schedule(ScheduleKind.CONSTANT), pace=pace)
    scaler = torch.amp.GradScaler("cuda", enabled=False)
    return Learner(network, averaged_of(network, optimizer), made, rate, scaler, 0, [])


def step(one: Learner, *, largest_gradient: float = float("inf"), size: float = 1.0) -> None:
    loss = size * one.network(torch.ones(1, 1, 2, 2)).sum()
    one.descend(loss, largest_gradient=largest_gradient)


def rates(schedule: Schedule, *, epochs: int) -> list[float]:
    """At the start of each epoch, as shares of the peak."""
    one, found = learner(Optimizer(OptimizerKind.SGD), schedule), []
    for number in range(epochs * STEPS):
        if number % STEPS == 0:
            found.append(one.optimizer.param_groups[0]["lr"] / 0.1)
        step(one)
    return found


def test_step_falls_by_its_factor_after_so_many_epochs() -> None:
    found = rates(Schedule(ScheduleKind.STEP, epochs=2, factor=0.1), epochs=5)
    assert found == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_exponential_falls_by_its_factor_over_so_many_epochs_a_little_each() -> None:
    found = rates(Schedule(ScheduleKind.EXPONENTIAL, epochs=3, factor=0.8), epochs=4)
    assert found == pytest.approx([1, 0.8 ** (1 / 3), 0.8 ** (2 / 3), 0.8])


def test_constant_stays() -> None:
    assert rates(Schedule(ScheduleKind.CONSTANT), epochs=3) == pytest.approx([1, 1, 1])


def test_one_cycle_rises_to_the_peak_and_falls_to_nought() -> None:
    found = rates(Schedule(ScheduleKind.ONE_CYCLE), epochs=4)
    assert found[0] < 0.1
    assert found[1] > found[2] > found[3] > 0


def test_rate_goes_on_where_it_was_saved() -> None:
    schedule = Schedule(ScheduleKind.STEP, epochs=1, factor=0.1)
    stopped, resumed = learner(Optimizer(), schedule), learner(Optimizer(), schedule)
    for _ in range(STEPS):
        step(stopped)
    resumed.schedule.load_state_dict(stopped.state()["schedule"])
    assert resumed.schedule.get_last_lr() == pytest.approx([0.01])


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (OptimizerKind.ADAM, torch.optim.Adam),
        (OptimizerKind.ADAMW, torch.optim.AdamW),
        (OptimizerKind.SGD, torch.optim.SGD),
    ],
)
def test_optimizer_is_the_one_named_with_its_decay(
    kind: OptimizerKind, made: type[torch.optim.Optimizer]
) -> None:
    found = learner(Optimizer(kind, weight_decay=0.01)).optimizer
    assert type(found) is made
    assert found.param_groups[0]["weight_decay"] == 0.01


def test_sgd_has_its_momentum() -> None:
    said = Optimizer(OptimizerKind.SGD, momentum=0.9, nesterov=True)
    group = learner(said).optimizer.param_groups[0]
    assert (group["momentum"], group["nesterov"]) == (0.9, True)


def test_average_of_no_memory_is_the_last_weights() -> None:
    for decay, same in ((0.0, True), (0.9, False)):
        one = learner(Optimizer(OptimizerKind.SGD, average_decay=decay))
        step(one)
        step(one)
        kept, last = (dict(of.state_dict()) for of in (one.averaged.module, one.network))
        assert torch.equal(kept["weight"], last["weight"]) is same


def test_gradient_longer_than_allowed_is_cut() -> None:
    def moved(largest_gradient: float) -> float:
        one = learner(Optimizer(OptimizerKind.SGD))
        before = nn.utils.parameters_to_vector(one.network.parameters()).detach()
        step(one, largest_gradient=largest_gradient, size=100.0)
        after = nn.utils.parameters_to_vector(one.network.parameters()).detach()
        return float((after - before).norm())

    assert moved(1.0) == pytest.approx(0.1, rel=1e-3)
    assert moved(float("inf")) > 10
