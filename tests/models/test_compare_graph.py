"""Parameters and multiplications, counted by hand and in the graph."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.comparison.graph import cost_of
from models.datasets import Square
from models.quantize import in_whole_numbers
from service.core.geometry import Letterbox
from tests.segmenters import colour_model

SIDE = 16


def weight(name: str, *shape: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.full(shape, 0.1, np.float32), name)


def small_network() -> onnx.ModelProto:
    """pixels (n, 16, 16, 3) -> convolution (n, 8, 8, 4) -> deconvolution (n, 16, 16)."""
    nodes = [
        helper.make_node("Cast", ["pixels"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["values"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "w", "b"], ["low"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("ConvTranspose", ["low", "v", "c"], ["high"], strides=[2, 2]),
        helper.make_node("Sigmoid", ["high"], ["sure"]),
        helper.make_node("Squeeze", ["sure", "axis"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", SIDE, SIDE])],
        [
            *(weight("w", 4, 3, 3, 3), weight("b", 4), weight("v", 4, 1, 2, 2), weight("c", 1)),
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


PARAMETERS = 4 * 3 * 9 + 4 + 4 * 4 + 1
FLOP = 2 * (8 * 8 * 4 * 27 + 8 * 8 * 4 * 4)


def test_convolutions_are_counted_by_hand_as_in_the_graph() -> None:
    cost = cost_of(small_network())
    assert (cost.parameters, cost.flop) == (PARAMETERS, FLOP)
    assert cost.gflop == FLOP / 1e9


def test_network_in_whole_numbers_costs_what_it_cost(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    onnx.save(small_network(), path)
    cost = cost_of(in_whole_numbers(path, [shown(seed) for seed in range(2)]))
    assert (cost.parameters, cost.flop) == (PARAMETERS, FLOP)


def shown(seed: int) -> Square:
    pixels: NDArray[np.uint8] = np.random.default_rng(seed).integers(
        0, 255, (SIDE, SIDE, 3), dtype=np.uint8
    )
    return Square(pixels, np.zeros((SIDE, SIDE), np.uint8), Letterbox(SIDE, SIDE, SIDE))


@pytest.mark.parametrize(("turned", "shape"), [(0, [5, 7]), (1, [7, 5])])
def test_matrix_products_count_a_multiplication_an_entry_and_inner_step(
    turned: int, shape: list[int]
) -> None:
    nodes = [
        helper.make_node("Gemm", ["left", "w", "b"], ["middle"], transA=turned),
        helper.make_node("MatMul", ["middle", "v"], ["right"]),
    ]
    graph = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("right", TensorProto.FLOAT, [5, 2])],
        [weight("w", 7, 3), weight("b", 3), weight("v", 3, 2)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    cost = cost_of(model)
    assert cost.parameters == 7 * 3 + 3 + 3 * 2
    assert cost.flop == 2 * (5 * 3 * 7 + 5 * 2 * 3)


def test_constants_are_no_parameters(tmp_path: Path) -> None:
    """Thresholds and axes; training found none of them."""
    cost = cost_of(onnx.load(colour_model(tmp_path)))
    assert (cost.parameters, cost.flop) == (0, 0)


def test_graph_that_hides_its_shapes_is_refused() -> None:
    model = small_network()
    for dim in model.graph.input[0].type.tensor_type.shape.dim[1:3]:
        dim.dim_param = "any"
    with pytest.raises(ValueError, match="does not tell the shape of 'low'"):
        cost_of(model)
