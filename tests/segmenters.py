"""A real, tiny ONNX model in the project's format: tests paint on photos what it shall find."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from service.adapters.onnx import OnnxSegmenter, load_segmenter
from service.settings import Device

SIDE = 128
SURE, DOUBTFUL = 0.99, 0.6
"""What it says of a strongly red pixel, and of a strongly blue one; of others it says 0."""
CONTRAST = 96.0
"""How far a channel must stand out over both others."""


def colour_segmenter(folder: Path) -> OnnxSegmenter:
    """Loaded and warm, from a file and card in `folder`."""
    return load_segmenter(colour_model(folder), Device.CPU, threads=1)


def colour_model(folder: Path) -> Path:
    """The ONNX file, its model card beside it."""
    path = folder / "colours.onnx"
    content = _model().SerializeToString()
    path.write_bytes(content)
    path.with_suffix(".md").write_text(f"SHA-256: {hashlib.sha256(content).hexdigest()}\n")
    return path


def _model() -> onnx.ModelProto:
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["pixels"], ["values"], to=TensorProto.FLOAT),
            helper.make_node("Split", ["values"], ["red", "green", "blue"], axis=3, num_outputs=3),
            *_standing_out("red", "green", "blue", weight="sure"),
            *_standing_out("blue", "red", "green", weight="doubtful"),
            helper.make_node("Add", ["red_found", "blue_found"], ["found"]),
            helper.make_node("Squeeze", ["found", "last"], ["probabilities"]),
        ],
        "colours",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", SIDE, SIDE])],
        [
            helper.make_tensor("contrast", TensorProto.FLOAT, [], [CONTRAST]),
            helper.make_tensor("sure", TensorProto.FLOAT, [], [SURE]),
            helper.make_tensor("doubtful", TensorProto.FLOAT, [], [DOUBTFUL]),
            helper.make_tensor("last", TensorProto.INT64, [1], [3]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, _metadata())
    onnx.checker.check_model(model)
    return model


def _standing_out(channel: str, *others: str, weight: str) -> list[onnx.NodeProto]:
    """`weight` where the channel is over both others by the contrast, else 0."""
    return [
        helper.make_node("Max", list(others), [f"{channel}_others"]),
        helper.make_node("Sub", [channel, f"{channel}_others"], [f"{channel}_over"]),
        helper.make_node("Greater", [f"{channel}_over", "contrast"], [f"{channel}_is"]),
        helper.make_node("Cast", [f"{channel}_is"], [f"{channel}_one"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{channel}_one", weight], [f"{channel}_found"]),
    ]


def _metadata() -> dict[str, str]:
    return {
        "metercrop.format": "1",
        "metercrop.name": "colours",
        "metercrop.version": "1.0.0",
        "metercrop.licence": "Apache-2.0",
        "metercrop.side": str(SIDE),
        "metercrop.threshold": "0.5",
        "metercrop.min_confidence": "0.8",
    }
