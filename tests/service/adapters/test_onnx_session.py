"""What CUDA is asked for, on values; and whether the models that ship can run there as a whole."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto

from service.adapters.onnx_session import CPU, CUDA_ENTRIES, NO_GRAPH, cuda_options, options_of_run
from service.settings import BUNDLED_MODEL

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8
KERNELS = {
    "Add": {FLOAT},
    "AveragePool": {FLOAT},
    "Cast": {UINT8},
    "Concat": {FLOAT},
    "Conv": {FLOAT},
    "ConvTranspose": {FLOAT},
    "DepthToSpace": {FLOAT},
    "DequantizeLinear": {TensorProto.INT8, UINT8},
    "Div": {FLOAT},
    "Gather": {FLOAT},
    "MaxPool": {FLOAT},
    "Mul": {FLOAT},
    "QuantizeLinear": {FLOAT},
    "Relu": {FLOAT},
    "Resize": {FLOAT},
    "Sigmoid": {FLOAT},
    "Sub": {FLOAT},
    "Transpose": {UINT8},
}
"""Types of the first input for which CUDA has a kernel in opset 18, as ONNX Runtime's
docs/OperatorKernels.md lists them; of those that our networks use."""


def test_graphs_are_asked_of_cuda_by_its_own_option() -> None:
    assert cuda_options(graphs=True)["enable_cuda_graph"] == "1"
    assert "enable_cuda_graph" not in cuda_options(graphs=False)
    assert cuda_options(graphs=False).items() < cuda_options(graphs=True).items()


def test_graph_of_a_run_is_told_by_its_number() -> None:
    assert options_of_run(8).get_run_config_entry("gpu_graph_id") == "8"
    assert options_of_run(NO_GRAPH).get_run_config_entry("gpu_graph_id") == "-1"


@pytest.mark.parametrize(
    "model", sorted(BUNDLED_MODEL.parent.glob("*.onnx")), ids=lambda model: model.stem
)
def test_every_node_of_what_ships_has_a_kernel_of_cuda(model: Path, tmp_path: Path) -> None:
    """One that had none would run on the CPU, which CUDA graphs, and we, do not allow."""
    nodes, types = as_cuda_gets_it(model, tmp_path)
    kinds = {(node.op_type, types[node.input[0]]) for node in nodes}
    assert {
        (kind, found) for kind, found in kinds if found not in KERNELS.get(kind, set())
    } == set()


def as_cuda_gets_it(model: Path, folder: Path) -> tuple[list[onnx.NodeProto], dict[str, int]]:
    """Nodes once constants are folded, and the types of their values."""
    import onnxruntime as ort  # `onnx_session` has told it before to report nothing

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    for name, value in CUDA_ENTRIES.items():
        if name != "session.disable_cpu_ep_fallback":
            options.add_session_config_entry(name, value)
    ort.InferenceSession(str(model), options, providers=[CPU])
    graph = onnx.shape_inference.infer_shapes(onnx.load(folder / "optimized.onnx")).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    types |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    return list(graph.node), types
