"""Real ONNX Runtime on a small real model."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from service.adapters.onnx import CPU, CUDA, OnnxSegmenter, cuda_is_present, load_segmenter
from service.core.errors import Misconfigured, Unavailable
from service.settings import Device
from tests.segmenters import DOUBTFUL, SIDE, SURE, colour_model, colour_segmenter

RED, BLUE, GREY = (230, 20, 20), (20, 20, 230), (128, 128, 128)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return colour_model(tmp_path)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> OnnxSegmenter:
    return colour_segmenter(tmp_path_factory.mktemp("model"))


def square(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), colour, dtype=np.uint8)


def rewritten(model: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    """The model with a change, its card in step."""
    proto = onnx.load(model)
    change(proto)
    content = proto.SerializeToString()
    model.write_bytes(content)
    model.with_suffix(".md").write_text(hashlib.sha256(content).hexdigest())
    return model


def refusal(model: Path, device: Device = Device.CPU) -> Misconfigured:
    with pytest.raises(Misconfigured) as refused:
        load_segmenter(model, device, threads=1)
    return refused.value


def test_model_is_described_by_its_own_metadata(model: Path) -> None:
    said = load_segmenter(model, Device.CPU, threads=1).description
    assert (said.name, said.version, said.licence) == ("colours", "1.0.0", "Apache-2.0")
    assert (said.side, said.threshold, said.min_confidence) == (SIDE, 0.5, 0.8)
    assert said.sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    assert said.provider == CPU


def test_probabilities_are_those_of_the_pixels(segmenter: OnnxSegmenter) -> None:
    pixels = square(GREY)
    pixels[10:20, 30:50], pixels[60:70, 80:90] = RED, BLUE
    expected = np.zeros((SIDE, SIDE), dtype=np.float32)
    expected[10:20, 30:50], expected[60:70, 80:90] = SURE, DOUBTFUL
    found = segmenter.probabilities(pixels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_many_threads_each_get_their_own_answer(segmenter: OnnxSegmenter) -> None:
    colours = [RED, BLUE, GREY] * 20
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda colour: segmenter.probabilities(square(colour)), colours))
    expected = {RED: np.float32(SURE), BLUE: np.float32(DOUBTFUL), GREY: np.float32(0)}
    assert [set(np.unique(each)) for each in found] == [{expected[colour]} for colour in colours]


def test_failing_inference_is_an_outage_of_the_model(segmenter: OnnxSegmenter) -> None:
    with pytest.raises(Unavailable) as failed:
        segmenter.probabilities(np.zeros((SIDE + 1, SIDE, 3), dtype=np.uint8))
    assert failed.value.code == "model.unavailable"
    assert failed.value.__cause__ is not None


def test_missing_model_is_named_with_what_to_do(tmp_path: Path) -> None:
    refused = refusal(tmp_path / "none.onnx")
    assert refused.code == "model.missing"
    assert str(tmp_path / "none.onnx") in str(refused)
    assert "METERCROP_MODEL" in str(refused)


def test_model_without_its_card_is_refused(model: Path) -> None:
    model.with_suffix(".md").unlink()
    assert refusal(model).code == "model.missing"
    assert "colours.md" in str(refusal(model))


def test_model_that_is_not_what_its_card_says_is_refused(model: Path) -> None:
    model.write_bytes(model.read_bytes() + b"\0")
    assert refusal(model).code == "model.unverified"


def test_hash_within_a_longer_number_is_no_hash(model: Path) -> None:
    card = model.with_suffix(".md")
    card.write_text("0" + hashlib.sha256(model.read_bytes()).hexdigest())
    assert refusal(model).code == "model.unverified"


def test_file_that_is_no_model_is_refused(model: Path) -> None:
    model.write_bytes(b"no model")
    model.with_suffix(".md").write_text(hashlib.sha256(b"no model").hexdigest())
    refused = refusal(model)
    assert refused.code == "model.unusable"
    assert refused.__cause__ is not None


def test_model_of_another_project_is_refused(model: Path) -> None:
    foreign = rewritten(model, lambda proto: proto.ClearField("metadata_props"))
    assert refusal(foreign).code == "model.foreign"


def test_model_that_says_too_little_of_itself_is_refused(model: Path) -> None:
    def forget(proto: onnx.ModelProto) -> None:
        helper.set_model_props(proto, {"metercrop.format": "1", "metercrop.name": "short"})

    refused = refusal(rewritten(model, forget))
    assert refused.code == "model.foreign"
    assert "metercrop.version" in str(refused)


def test_model_of_a_newer_format_is_refused(model: Path) -> None:
    def renew(proto: onnx.ModelProto) -> None:
        helper.set_model_props(proto, {"metercrop.format": "2"})

    assert refusal(rewritten(model, renew)).code == "model.foreign"


def test_model_whose_answers_are_no_probabilities_is_refused(model: Path) -> None:
    def negate(proto: onnx.ModelProto) -> None:
        proto.graph.node[-1].output[0] = "negated"
        proto.graph.node.append(helper.make_node("Cos", ["negated"], ["cosine"]))
        proto.graph.node.append(helper.make_node("Neg", ["cosine"], ["probabilities"]))

    assert refusal(rewritten(model, negate)).code == "model.foreign"


def test_model_of_another_side_than_it_says_is_refused(model: Path) -> None:
    def shrink(proto: onnx.ModelProto) -> None:
        props = {prop.key: prop.value for prop in proto.metadata_props}
        helper.set_model_props(proto, {**props, "metercrop.side": "64"})

    refused = refusal(rewritten(model, shrink))
    assert refused.code == "model.foreign"
    assert "cannot be run" in str(refused)


def test_auto_runs_on_a_gpu_where_one_is_and_else_on_the_cpu(model: Path) -> None:
    provider = load_segmenter(model, Device.AUTO, threads=1).description.provider
    assert provider == CPU or (provider == CUDA and cuda_is_present())


def test_cuda_never_falls_back_to_the_cpu_in_silence(model: Path) -> None:
    try:
        provider = load_segmenter(model, Device.CUDA, threads=1).description.provider
    except Misconfigured as refused:
        assert refused.code == "device.cuda"  # noqa: PT017  which of both depends on the machine
        assert "metercrop[cuda]" in str(refused)  # noqa: PT017
    else:
        assert provider == CUDA


def test_looking_for_cuda_prints_nothing(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with suppress(Misconfigured):
        load_segmenter(model, Device.CUDA, threads=1)
    assert capfd.readouterr() == ("", "")
