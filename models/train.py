"""Trains a network by a recipe; resumes where it was stopped."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from models import augment, datasets
from models.losses import cross_entropy_and_dice
from models.metrics import agreement
from models.recipe import Recipe, Stage

VALIDATE_EVERY = 4
"""Epochs between looks at `val`; the last stage, on whole squares, looks after each."""


class Views(Dataset[tuple[Tensor, Tensor]]):
    """Fresh random views of the squares, repeatable from (seed, epoch, index)."""

    def __init__(
        self, squares: list[datasets.Square], recipe: Recipe, *, stage: Stage, epoch: int
    ) -> None:
        self.squares, self.recipe, self.stage, self.epoch = squares, recipe, stage, epoch

    def __len__(self) -> int:
        return len(self.squares)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self.recipe.seed, self.epoch, index])
        other = self.squares[int(rng.integers(len(self.squares)))]
        pixels, mask = augment.view(
            self.squares[index],
            other,
            window=self.stage.window,
            side=self.recipe.side,
            rng=rng,
            turned_share=self.stage.turned_share,
            covered_share=self.stage.covered_share,
        )
        return torch.from_numpy(pixels.copy()), torch.from_numpy(mask)


@dataclass(slots=True)
class Learner:
    """All that changes while learning, and that a checkpoint holds."""

    network: nn.Module
    averaged: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    epoch: int
    rows: list[dict[str, float]]

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "rows": self.rows,
        }


def train(recipe: Recipe, *, data: Path, out: Path, device: str = "cpu") -> Path:
    """Runs all stages and returns the last checkpoint; an existing one in `out` is resumed."""
    torch.manual_seed(recipe.seed)
    out.mkdir(parents=True, exist_ok=True)
    _, held_out = recipe.splits(data)
    squares = _shown(recipe, data)
    validation = [datasets.square(one, recipe.side) for one in tqdm(held_out, "reading val")]
    network = recipe.build_network().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form
    follow = get_ema_multi_avg_fn(recipe.average_decay)  # type: ignore[no-untyped-call]  # torch
    averaged = AveragedModel(network, multi_avg_fn=follow, use_buffers=True)
    checkpoint = out / "checkpoint.pt"
    first = 0
    for stage in recipe.stages:
        steps = -(-len(squares) // stage.batch)
        learner = _learner(recipe, stage, network, averaged, steps=steps)
        _resume(learner, checkpoint, first=first, last=first + stage.epochs)
        while learner.epoch < first + stage.epochs:
            loss = _epoch(learner, recipe, stage, squares, device=device)
            whole = stage.window == recipe.side or learner.epoch % VALIDATE_EVERY == 0
            dice = mean_dice(averaged, validation, device=device) if whole else float("nan")
            learner.rows.append({"epoch": learner.epoch, "loss": loss, "val_dice": dice})
            tqdm.write(f"epoch {learner.epoch}: loss {loss:.4f}, Dice on val {dice:.4f}")
            _save(checkpoint, learner.state())
            _write_log(out / "log.csv", learner.rows)
        first += stage.epochs
    return checkpoint


def as_input(pixels: Tensor) -> Tensor:
    """uint8 (n, h, w, 3) to the network's float (n, 3, h, w) in -1..1; the export does the same."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def mean_dice(network: nn.Module, squares: list[datasets.Square], *, device: str) -> float:
    """Mean over photos of the Dice coefficient at threshold 0.5."""
    network.eval()
    scores = []
    with torch.inference_mode():
        for one in squares:
            logits = network(as_input(torch.from_numpy(one.pixels)[None].to(device)))
            scores.append(agreement(logits[0, 0].cpu().numpy() > 0, one.mask > 0).dice)
    return float(np.mean(scores))


def _shown(recipe: Recipe, data: Path) -> list[datasets.Square]:
    """What an epoch shows; a photo that is repeated is read, and held, once."""
    splits, squares = recipe.splits_by_source(data), []
    for source in recipe.data:
        learned, _ = splits[source.folder]
        read = [datasets.square(one, recipe.source_side) for one in tqdm(learned, source.folder)]
        squares += source.repeats * read
    return squares


def _learner(
    recipe: Recipe, stage: Stage, network: nn.Module, averaged: AveragedModel, *, steps: int
) -> Learner:
    optimizer = torch.optim.AdamW(
        network.parameters(), stage.peak_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        stage.peak_rate,
        epochs=stage.cycle_epochs or stage.epochs,
        steps_per_epoch=steps,
        pct_start=0.15,
    )
    return Learner(network, averaged, optimizer, schedule, 0, [])


def _epoch(
    learner: Learner,
    recipe: Recipe,
    stage: Stage,
    squares: list[datasets.Square],
    *,
    device: str,
) -> float:
    """The mean loss of one pass over all squares."""
    loader = DataLoader(
        Views(squares, recipe, stage=stage, epoch=learner.epoch),
        stage.batch,
        shuffle=True,
        num_workers=1,
        generator=torch.Generator().manual_seed(recipe.seed * 1000 + learner.epoch),
    )
    learner.network.train()
    total = 0.0
    for pixels, mask in tqdm(loader, f"epoch {learner.epoch + 1}", mininterval=5):
        inputs = as_input(pixels.to(device)).contiguous(memory_format=torch.channels_last)
        target = (mask.to(device) > 0).float()[:, None]
        loss = cross_entropy_and_dice(learner.network(inputs), target, weight=recipe.loss_weight)
        learner.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(learner.network.parameters(), 1.0)
        learner.optimizer.step()
        learner.schedule.step()
        learner.averaged.update_parameters(learner.network)
        total += loss.item()
    learner.epoch += 1
    return total / len(loader)


def _resume(learner: Learner, checkpoint: Path, *, first: int, last: int) -> None:
    """Takes up the checkpoint; optimizer and schedule only if it is from within this stage."""
    if not checkpoint.exists():
        return
    state = torch.load(checkpoint, weights_only=True)
    learner.network.load_state_dict(state["network"])
    learner.averaged.load_state_dict(state["averaged"])
    learner.epoch, learner.rows = state["epoch"], state["rows"]
    if first < learner.epoch < last:
        learner.optimizer.load_state_dict(state["optimizer"])
        learner.schedule.load_state_dict(state["schedule"])


def _save(checkpoint: Path, state: dict[str, Any]) -> None:
    beside = checkpoint.with_suffix(".partial")
    torch.save(state, beside)
    beside.replace(checkpoint)


def _write_log(path: Path, rows: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "loss", "val_dice"])
        writer.writeheader()
        writer.writerows(rows)
