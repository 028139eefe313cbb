"""Writes a trained network as the one artifact that the service knows: an ONNX file and its card.

The graph takes photos as they are, `pixels` uint8 (n, side, side, 3), and answers `probabilities`
float32 (n, side, side); normalization and sigmoid are inside. All else that the service must know
travels as metadata, and the model card beside the file names its SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from models.checkpoint import read
from models.origin import as_metadata, origin_of
from models.recipe import Recipe
from models.train import as_input

FORMAT = "1"
OPSET = 18


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where a pixel counts as region, and from what confidence on a crop is trusted."""

    threshold: float
    min_confidence: float


@dataclass(frozen=True, slots=True)
class Label:
    """What the file says of itself beside numbers; `licence` is that of the weights.

    `data_sha256` is over the photos that were learned from.
    """

    version: str
    licence: str
    data_sha256: str = ""


class Deployed(nn.Module):
    """The network between raw pixels and probabilities."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(as_input(pixels))
        return torch.sigmoid(logits)[:, 0]


def trained_network(recipe: Recipe, checkpoint: Path) -> nn.Module:
    """The averaged weights of a checkpoint, ready for inference."""
    network = recipe.build_network()
    averaged = read(checkpoint)["averaged"]
    prefix = "module."
    network.load_state_dict(
        {name.removeprefix(prefix): t for name, t in averaged.items() if name.startswith(prefix)}
    )
    return network.eval()


def export(
    recipe: Recipe, network: nn.Module, *, calibration: Calibration, label: Label, to: Path
) -> str:
    """Writes the ONNX file whole or not at all; returns its SHA-256."""
    program = torch.onnx.export(
        Deployed(network).eval(),
        (torch.zeros(2, recipe.side, recipe.side, 3, dtype=torch.uint8),),
        input_names=["pixels"],
        output_names=["probabilities"],
        dynamic_shapes=({0: torch.export.Dim("photos", min=1, max=1024)},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch exported no program for the network")
    return write(program.model_proto, metadata(recipe, calibration, label), to)


def write(model: onnx.ModelProto, told: dict[str, str], to: Path) -> str:
    """Writes a graph with what the service must know of it; returns the file's SHA-256."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, told)
    for node in model.graph.node:  # the exporter's notes name folders of the exporting machine
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    beside = to.with_suffix(".partial")
    beside.write_bytes(content)
    beside.replace(to)
    return hashlib.sha256(content).hexdigest()


def metadata(recipe: Recipe, calibration: Calibration, label: Label) -> dict[str, str]:
    """What `service.adapters.onnx` reads, and how the network was trained."""
    return {
        "metercrop.format": FORMAT,
        "metercrop.name": recipe.name,
        "metercrop.version": label.version,
        "metercrop.licence": label.licence,
        "metercrop.side": str(recipe.side),
        "metercrop.normalization": "pixels / 127.5 - 1, inside the graph",
        "metercrop.threshold": str(calibration.threshold),
        "metercrop.min_confidence": str(calibration.min_confidence),
        **as_metadata(origin_of(recipe, data_sha256=label.data_sha256)),
    }
