"""What training tells while it runs: `log.csv`, TensorBoard's events and `preview.png`."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image
from torch.utils.tensorboard.writer import SummaryWriter
from tqdm import tqdm

COLUMNS = ("epoch", "loss", "val_dice", "rate", "seconds")
Row = dict[str, float]


class Journal:
    """Writes into the folder `out`; epochs after `done` that events tell of are taken back."""

    def __init__(self, out: Path, *, done: int) -> None:
        self.out = out
        self.events = SummaryWriter(str(out / "events"), purge_step=done + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.events.close()

    def tell(self, rows: list[Row]) -> None:
        """Of all epochs, the newest last."""
        newest = rows[-1]
        epoch = int(newest["epoch"])
        for name in COLUMNS[1:]:
            if not math.isnan(newest[name]):
                self.events.add_scalar(name, newest[name], epoch)
        self.events.flush()
        _write(self.out / "log.csv", rows)
        tqdm.write(
            f"epoch {epoch}: loss {newest['loss']:.4f}, Dice on val {newest['val_dice']:.4f}, "
            f"{newest['seconds']:.0f} s"
        )

    def show(self, sheet: Image.Image, *, epoch: int) -> None:
        sheet.save(self.out / "preview.png")
        self.events.add_image("preview", np.asarray(sheet), epoch, dataformats="HWC")


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
