"""What changes while a network learns: its weights, their average, optimizer and rate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import torch
from pydantic import ConfigDict, Field
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class OptimizerKind(StrEnum):
    ADAMW = "adamw"
    ADAM = "adam"
    SGD = "sgd"


class ScheduleKind(StrEnum):
    ONE_CYCLE = "one-cycle"
    STEP = "step"
    EXPONENTIAL = "exponential"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Optimizer:
    """`rate` is the peak of every stage that says none; `momentum` and `nesterov` are `sgd`'s.

    The weights that are kept are a running average, which holds on to `average_decay` of itself
    a step; 0 keeps the last ones. A gradient longer than `largest_gradient` is cut to it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    kind: OptimizerKind = OptimizerKind.ADAMW
    rate: Annotated[float | None, Field(gt=0.0)] = None
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    nesterov: bool = False
    average_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    largest_gradient: Annotated[float, Field(gt=0.0)] = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the rate goes on within a stage from its peak.

    `one-cycle` rises to it and falls to nought by the stage's end. `step` multiplies by `factor`
    after every `epochs`, `exponential` by as much over `epochs`, a little after each.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    kind: ScheduleKind = ScheduleKind.ONE_CYCLE
    epochs: Annotated[int, Field(ge=1)] = 1
    factor: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0

    def share_after(self, epoch: int) -> float:
        """Of the peak rate; what a `one-cycle` leaves is not asked for by the epoch."""
        match self.kind:
            case ScheduleKind.STEP:
                return float(self.factor ** (epoch // self.epochs))
            case ScheduleKind.EXPONENTIAL:
                return float(self.factor ** (epoch / self.epochs))
            case ScheduleKind.CONSTANT | ScheduleKind.ONE_CYCLE:
                return 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Of one stage: a schedule's length is in steps, and no schedule knows them by itself."""

    peak_rate: float
    cycle_epochs: int
    steps_an_epoch: int


@dataclass(slots=True)
class Learner:
    """All that a checkpoint holds, but whose it is."""

    network: nn.Module
    averaged: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    scaler: torch.amp.GradScaler
    epoch: int
    rows: list[dict[str, float]]

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "epoch": self.epoch,
            "rows": self.rows,
        }

    def descend(self, loss: torch.Tensor, *, largest_gradient: float) -> None:
        """One step of everything; a step whose gradient overflowed half precision is left out."""
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.network.parameters(), largest_gradient)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        self.averaged.update_parameters(self.network)


def averaged_of(network: nn.Module, optimizer: Optimizer) -> AveragedModel:
    follow = get_ema_multi_avg_fn(optimizer.average_decay)  # type: ignore[no-untyped-call]  # torch
    return AveragedModel(network, multi_avg_fn=follow, use_buffers=True)


def optimizer_of(network: nn.Module, said: Optimizer, *, rate: float) -> torch.optim.Optimizer:
    weights = network.parameters()
    match said.kind:
        case OptimizerKind.ADAMW:
            return torch.optim.AdamW(weights, rate, weight_decay=said.weight_decay)
        case OptimizerKind.ADAM:
            return torch.optim.Adam(weights, rate, weight_decay=said.weight_decay)
        case OptimizerKind.SGD:
            return torch.optim.SGD(
                weights, rate,
                momentum=said.momentum, nesterov=said.nesterov, weight_decay=said.weight_decay,
            )  # fmt: skip


def schedule_of(optimizer: torch.optim.Optimizer, said: Schedule, *, pace: Pace) -> LRScheduler:
    """It is told of every step, not of every epoch."""
    match said.kind:
        case ScheduleKind.ONE_CYCLE:
            return OneCycleLR(
                optimizer, pace.peak_rate,
                epochs=pace.cycle_epochs, steps_per_epoch=pace.steps_an_epoch, pct_start=0.15,
            )  # fmt: skip
        case ScheduleKind.STEP | ScheduleKind.EXPONENTIAL | ScheduleKind.CONSTANT:
            return LambdaLR(optimizer, lambda step: said.share_after(step // pace.steps_an_epoch))
