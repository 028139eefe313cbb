"""What a network costs, counted in its ONNX graph: weights and multiplications.

In a graph of whole numbers (QDQ) a weight stands before its DequantizeLinear and counts as it does
in floating point; ranges and zero points count nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import onnx
from onnx import NodeProto, TensorProto, shape_inference

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
WEIGHTED = {
    "Conv": (1, 2),
    "ConvTranspose": (1, 2),
    "MatMul": (0, 1),
    "Gemm": (1, 2),
    "BatchNormalization": (1, 2),
    "PRelu": (1,),
    "DequantizeLinear": (0,),
}
"""Operations and the numbers of those inputs that hold what was learned, however small."""
UNLEARNED = ("QuantizeLinear", "Resize", "Clip", "Pad")

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Cost:
    """`flop` are twice the multiplications of convolutions and matrix products of one square."""

    parameters: int
    flop: int

    @property
    def gflop(self) -> float:
        return self.flop / 1e9


def cost_of(model: onnx.ModelProto) -> Cost:
    """Raises ValueError where the graph does not tell the shape of what it multiplies."""
    initializers = {one.name: one for one in model.graph.initializer}
    learned = {
        name
        for node in model.graph.node
        for name in _learned(node, initializers)
    }  # fmt: skip
    shapes = _shapes_of(model)
    return Cost(
        parameters=sum(math.prod(initializers[name].dims) for name in learned),
        flop=2 * sum(_multiplications(node, shapes) for node in model.graph.node),
    )


def _learned(node: NodeProto, initializers: Mapping[str, TensorProto]) -> Iterator[str]:
    """Inputs of `node` that training found; of other operations, factors with an axis."""
    numbers = WEIGHTED.get(node.op_type)
    for number, name in enumerate(node.input):
        weight = initializers.get(name)
        if weight is None or node.op_type in UNLEARNED:
            continue
        if numbers is None:
            if weight.data_type in FLOATS and math.prod(weight.dims) > 1:
                yield name
        elif number in numbers:
            yield name


def _multiplications(node: NodeProto, shapes: Shapes) -> int:
    match node.op_type:
        case "Conv":  # weight (out, in / groups, *kernel)
            return _size(shapes, node.output[0]) * math.prod(_shape(shapes, node.input[1])[1:])
        case "ConvTranspose":  # weight (in, out / groups, *kernel)
            return _size(shapes, node.input[0]) * math.prod(_shape(shapes, node.input[1])[1:])
        case "MatMul":
            return _size(shapes, node.output[0]) * _shape(shapes, node.input[0])[-1]
        case "Gemm":
            turned = any(one.name == "transA" and one.i for one in node.attribute)
            inner = _shape(shapes, node.input[0])[0 if turned else 1]
            return _size(shapes, node.output[0]) * inner
        case _:
            return 0


def _shapes_of(model: onnx.ModelProto) -> Shapes:
    """Of every value in the graph, for one square."""
    single = onnx.ModelProto()
    single.CopyFrom(model)
    del single.graph.value_info[:]
    for value in (*single.graph.input, *single.graph.output):
        photos = value.type.tensor_type.shape.dim[0]
        if not photos.HasField("dim_value"):
            photos.dim_value = 1
    graph = shape_inference.infer_shapes(single, data_prop=True).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    told = {one.name: one.type.tensor_type.shape.dim for one in values}
    shapes = {
        name: tuple(dim.dim_value for dim in dims)
        for name, dims in told.items()
        if all(dim.HasField("dim_value") for dim in dims)
    }
    return shapes | {one.name: tuple(one.dims) for one in graph.initializer}


def _shape(shapes: Shapes, name: str) -> tuple[int, ...]:
    try:
        return shapes[name]
    except KeyError:
        raise ValueError(f"the graph does not tell the shape of {name!r}") from None


def _size(shapes: Shapes, name: str) -> int:
    return math.prod(_shape(shapes, name))
