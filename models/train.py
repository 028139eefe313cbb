"""Trains a network by a recipe; resumes where it was stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from models import checkpoint, datasets, preview
from models.device import Place, place, repeatable
from models.journal import COLUMNS, Journal, Row
from models.learner import Learner, Pace, averaged_of, optimizer_of, schedule_of
from models.metrics import agreement
from models.recipe import Recipe, Stage
from models.views import Views, batches

CHECKPOINT = "checkpoint.pt"
VALIDATE_EVERY = 4
"""Epochs from one look at `val` to the next; the first, the last and those on whole squares have
one too."""


@dataclass(frozen=True, slots=True)
class Photos:
    """What an epoch shows, and what is looked at to see how far it came."""

    shown: list[datasets.Square]
    held_out: list[datasets.Square]


def train(recipe: Recipe, *, data: Path, out: Path, on: Place | None = None) -> Path:
    """Runs all stages and returns the last checkpoint; an existing one in `out` is resumed.

    Raises ValueError where that one is of another recipe or seed, or where learning goes astray.
    """
    on, kept = on or place(), out / CHECKPOINT
    checkpoint.require_own(kept, recipe)
    torch.manual_seed(recipe.seed)
    network = recipe.build_network()
    photos = _photos(recipe, recipe.splits_by_source(data))
    network = network.to(on.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks this form
    out.mkdir(parents=True, exist_ok=True)
    with repeatable():
        averaged = averaged_of(network, recipe.optimizer)
        _all_stages(_Run(recipe, photos, network, averaged, on), out=out)
    return kept


def runs(recipe: Recipe, out: Path, *, seeds: Sequence[int]) -> list[tuple[Recipe, Path]]:
    """One for each seed, in a folder of its own; without any, the recipe as it is, in `out`."""
    if not seeds:
        return [(recipe, out)]
    return [(replace(recipe, seed=seed), out / f"seed-{seed}") for seed in seeds]


def as_input(pixels: Tensor) -> Tensor:
    """uint8 (n, h, w, 3) to the network's float (n, 3, h, w) in -1..1; the export does the same."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def found_in(
    network: nn.Module, squares: Sequence[datasets.Square], *, device: str | torch.device
) -> list[preview.Region]:
    """The region of each at threshold 0.5."""
    network.eval()
    with torch.inference_mode():
        return [
            network(as_input(torch.from_numpy(one.pixels)[None].to(device)))[0, 0].cpu().numpy() > 0
            for one in squares
        ]


def mean_dice(squares: Sequence[datasets.Square], found: Sequence[preview.Region]) -> float:
    """Mean over photos of the Dice coefficient."""
    pairs = zip(squares, found, strict=True)
    return float(np.mean([agreement(region, one.mask > 0).dice for one, region in pairs]))


def _photos(recipe: Recipe, splits: Mapping[str, datasets.Split]) -> Photos:
    held_out = [one for _, validation in splits.values() for one in validation]
    return Photos(_shown(recipe, splits), _held_out(recipe, held_out))


def _shown(recipe: Recipe, splits: Mapping[str, datasets.Split]) -> list[datasets.Square]:
    """A photo that is repeated is read, and held, once."""
    squares = []
    for source in recipe.data:
        learned, _ = splits[source.folder]
        read = [datasets.square(one, recipe.source_side) for one in tqdm(learned, source.folder)]
        squares += source.repeats * read
    if not squares:
        raise ValueError(f"{recipe.name} holds every photo out; lower a validation_share")
    return squares


def _held_out(recipe: Recipe, held_out: Sequence[datasets.Example]) -> list[datasets.Square]:
    if not held_out:
        raise ValueError(f"{recipe.name} holds no photo out; give a source a validation_share")
    return [datasets.square(one, recipe.side) for one in tqdm(held_out, "reading val")]


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same through all stages, the network's weights apart."""

    recipe: Recipe
    photos: Photos
    network: nn.Module
    averaged: AveragedModel
    on: Place

    def learner(self, stage: Stage) -> Learner:
        """With an optimizer and a rate of the stage's own."""
        rate = self.recipe.rate_of(stage)
        optimizer = optimizer_of(self.network, self.recipe.optimizer, rate=rate)
        steps = -(-len(self.photos.shown) // stage.batch)
        pace = Pace(rate, stage.cycle_epochs or stage.epochs, steps)
        schedule = schedule_of(optimizer, self.recipe.schedule, pace=pace)
        scaler = self.on.scaler()
        return Learner(self.network, self.averaged, optimizer, schedule, scaler, 0, [])

    def epoch(self, learner: Learner, stage: Stage) -> float:
        """The mean loss of one pass over all photos."""
        torch.manual_seed(self.recipe.seed * 1000 + learner.epoch)  # a resumed run drops out alike
        views = Views(self.photos.shown, self.recipe, stage=stage, epoch=learner.epoch)
        loader = batches(views, workers=self.on.workers, pinned=self.on.on_cuda)
        self.network.train()
        total = 0.0
        for pixels, mask in tqdm(loader, f"epoch {learner.epoch + 1}", mininterval=5):
            loss = self.loss(pixels.to(self.on.device), mask.to(self.on.device))
            learner.descend(loss, largest_gradient=self.recipe.optimizer.largest_gradient)
            total += loss.item()
        learner.epoch += 1
        if not math.isfinite(total):
            raise ValueError(f"the loss of epoch {learner.epoch} is no number; lower the rate")
        return total / len(loader)

    def loss(self, pixels: Tensor, mask: Tensor) -> Tensor:
        inputs = as_input(pixels).contiguous(memory_format=torch.channels_last)
        with self.on.autocast():
            logits = self.network(inputs)
        return self.recipe.loss(logits.float(), (mask > 0).float()[:, None])

    def is_looked_at(self, epoch: int, stage: Stage) -> bool:
        whole = stage.window == self.recipe.side
        return whole or epoch % VALIDATE_EVERY == 0 or epoch in (1, self.recipe.epochs)

    def dice(self, journal: Journal, *, epoch: int) -> float:
        """On the held-out photos, of which some are shown."""
        squares = self.photos.held_out
        found = found_in(self.averaged, squares, device=self.on.device)
        some = preview.chosen(squares)
        sheet = preview.contact_sheet([squares[i] for i in some], [found[i] for i in some])
        journal.show(sheet, epoch=epoch)
        return mean_dice(squares, found)


def _all_stages(run: _Run, *, out: Path) -> None:
    kept, first = out / CHECKPOINT, 0
    with Journal(out, done=checkpoint.epochs_done(kept)) as journal:
        for stage in run.recipe.stages:
            last = first + stage.epochs
            learner = run.learner(stage)
            checkpoint.resume(learner, kept, first=first, last=last)
            while learner.epoch < last:
                learner.rows.append(_row(run, learner, stage, journal=journal))
                checkpoint.save(kept, learner, recipe=run.recipe)
                journal.tell(learner.rows)
            first = last


def _row(run: _Run, learner: Learner, stage: Stage, *, journal: Journal) -> Row:
    """Of one more epoch; its seconds are those of learning alone."""
    begun, rate = time.monotonic(), learner.optimizer.param_groups[0]["lr"]
    loss = run.epoch(learner, stage)
    seconds = time.monotonic() - begun
    looked = run.is_looked_at(learner.epoch, stage)
    dice = run.dice(journal, epoch=learner.epoch) if looked else math.nan
    values = (learner.epoch, loss, dice, rate, round(seconds, 1))
    return dict(zip(COLUMNS, values, strict=True))
