"""A released model in whole numbers: static INT8, about twice as fast on one core.

Weights are rounded per channel; the range of what passes between the layers is taken from photos
of the training split. Each operation stands between QuantizeLinear and DequantizeLinear (QDQ),
which ONNX Runtime joins to one kernel of whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from models import datasets
from models.card import Provenance
from models.export import Calibration, Label, metadata, write
from models.metrics import agreement
from models.origin import read_origin
from models.recipe import Recipe
from models.release import THRESHOLD, Released, card_of, released
from models.serving import segmenter_of
from service.ports import Segmenter

CALIBRATION_PHOTOS = 240
KEPT_PERCENT = 99.99
"""Of what each layer shows: a few far values would make the steps of all others coarser."""
LARGEST_DICE_LOSS = 0.005
ROUNDED = (
    "Add",
    "AveragePool",
    "Concat",
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "Mul",
    "Relu",
    "Resize",
)
"""Operations; sigmoids are left out, for the confidence is made of them. A ReLU costs nothing: what
comes before it is rounded to numbers that begin at 0."""


def quantize(
    recipe: Recipe,
    model: Path,
    *,
    data: Path,
    provenance: Provenance,
    to: Path,
    largest_loss: float = LARGEST_DICE_LOSS,
) -> Released:
    """Writes `to` and its card, calibrated anew: confidences shift where numbers are rounded.

    Raises ValueError where `model` is not of the recipe, or where the mean Dice coefficient on
    the held-out photos falls by more than `largest_loss`; nothing is written then.
    """
    exact = segmenter_of(model)
    said = exact.description
    if said.name != recipe.name:
        raise ValueError(f"{model} is {said.name}, but the recipe is that of {recipe.name}")
    learned, held_out = recipe.splits(data)
    rounded = in_whole_numbers(model, _spread(learned, recipe.side))
    named = replace(recipe, name=f"{recipe.name}-int8")
    provenance = replace(provenance, data_sha256=_learned_from(model) or provenance.data_sha256)
    label = Label(said.version, said.licence, provenance.data_sha256)

    def written(calibration: Calibration, path: Path) -> str:
        told = metadata(recipe, calibration, label) | {"metercrop.name": named.name}
        return write(rounded, told, path)

    squares = [datasets.square(one, recipe.side) for one in held_out]
    with TemporaryDirectory() as folder:
        trial = Path(folder) / to.name
        card_of(trial).write_text(written(Calibration(THRESHOLD, 0.0), trial))
        loss = mean_dice(exact, squares) - mean_dice(segmenter_of(trial), squares)
    if loss > largest_loss:
        raise ValueError(
            f"in whole numbers {model} loses {loss:.4f} of Dice on the held-out photos, "
            f"more than {largest_loss}; serve it as it is"
        )
    return released(named, written, data=data, label=label, provenance=provenance, to=to)


def in_whole_numbers(model: Path, squares: Sequence[datasets.Square]) -> onnx.ModelProto:
    """The graph, its input and output unchanged; `squares` show it the ranges to expect."""
    with TemporaryDirectory() as folder:
        plain, rounded = Path(folder) / "plain.onnx", Path(folder) / "rounded.onnx"
        quant_pre_process(model, plain, skip_symbolic_shape=True)
        with redirect_stdout(StringIO()):  # it prints what it counts
            quantize_static(
                plain,
                rounded,
                _Shown(squares),
                op_types_to_quantize=list(ROUNDED),
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"CalibPercentile": KEPT_PERCENT},
            )
        return onnx.load(rounded)


def _learned_from(model: Path) -> str | None:
    """What the weights have learned from, whatever lies in the recipe's folders now."""
    origin = read_origin({one.key: one.value for one in onnx.load(model).metadata_props})
    return None if origin is None else origin.data_sha256


def mean_dice(segmenter: Segmenter, squares: Sequence[datasets.Square]) -> float:
    threshold = segmenter.description.threshold
    return fmean(
        agreement(segmenter.probabilities(one.pixels) >= threshold, one.mask > 0).dice
        for one in squares
    )


def _spread(learned: Sequence[datasets.Example], side: int) -> list[datasets.Square]:
    """`CALIBRATION_PHOTOS` of them at most, spread evenly over all."""
    every = -(-len(learned) // CALIBRATION_PHOTOS)
    return [datasets.square(one, side) for one in learned[::every]]


class _Shown(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands over one square at a time."""

    def __init__(self, squares: Sequence[datasets.Square]) -> None:
        self._left = iter(squares)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        one = next(self._left, None)
        return None if one is None else {"pixels": one.pixels[np.newaxis]}
