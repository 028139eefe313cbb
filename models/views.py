"""The views of one epoch, in batches."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models import augment, datasets
from models.recipe import Recipe, Stage


class Views(Dataset[tuple[Tensor, Tensor]]):
    """Fresh random views of the squares, repeatable from (seed, epoch, index)."""

    def __init__(
        self, squares: list[datasets.Square], recipe: Recipe, *, stage: Stage, epoch: int
    ) -> None:
        self.squares, self.recipe, self.stage, self.epoch = squares, recipe, stage, epoch

    def __len__(self) -> int:
        return len(self.squares)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        pixels, mask = self._view(
            index, np.random.default_rng([self.recipe.seed, self.epoch, index])
        )
        return torch.from_numpy(pixels.copy()), torch.from_numpy(mask)

    def _view(self, index: int, rng: np.random.Generator) -> augment.View:
        """Uint8 (window, window, 3) and (window, window), mask 0 or 255."""
        square, window, side = self.squares[index], self.stage.window, self.recipe.side
        if self.recipe.augmentation is not augment.Augmentation.PHONES:
            kind = self.recipe.augmentation
            return augment.plain_view(square, kind, window=window, side=side, rng=rng)
        return augment.view(
            square,
            self.squares[int(rng.integers(len(self.squares)))],
            window=window,
            side=side,
            rng=rng,
            turned_share=self.stage.turned_share,
            covered_share=self.stage.covered_share,
        )


def batches(views: Views, *, workers: int, pinned: bool) -> DataLoader[tuple[Tensor, Tensor]]:
    """In an order that repeats from (seed, epoch), however many `workers` there are."""
    order = torch.Generator().manual_seed(views.recipe.seed * 1000 + views.epoch)
    return DataLoader(
        views,
        views.stage.batch,
        shuffle=True,
        num_workers=workers,
        pin_memory=pinned,
        generator=order,
    )
