"""What holds for every network that a recipe can name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.export import Calibration, Deployed, Label, export
from models.networks import NETWORKS, build
from models.recipe import read_recipe
from service.adapters.onnx import load_segmenter
from service.settings import Device

SIDE = 32
SMALL: dict[str, dict[str, Any]] = {
    "attention_unet": {"base_width": 4, "levels": 3},
    "gradnet": {"stem_width": 8},
    "micro_net": {"base_width": 8},
    "quarter_unet": {"widths": [8, 12, 16]},
    "residual_unet": {"base_width": 2},
    "subpixel_unet": {"widths": [4, 6, 8]},
    "unet": {"base_width": 4, "levels": 3},
}
RECIPE = replace(read_recipe(Path("models/recipes/attention_unet_16.toml")), side=SIDE)

every_network = pytest.mark.parametrize("name", sorted(NETWORKS))
every_architecture = pytest.mark.parametrize("name", sorted(NETWORKS.keys() - {"unet"}))
"""A U-Net is an Attention U-Net; exporting takes seconds."""


@every_network
def test_logits_have_the_height_and_width_of_the_pixels(name: str) -> None:
    network = build(name, SMALL[name]).eval()
    assert network(torch.zeros(2, 3, 64, 32)).shape == (2, 1, 64, 32)


@every_network
def test_loss_reaches_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    network = build(name, SMALL[name])
    network(torch.randn(2, 3, SIDE, SIDE)).square().mean().backward()
    for where, parameter in network.named_parameters():
        assert parameter.grad is not None, where
        assert parameter.grad.isfinite().all(), where
        assert parameter.grad.any(), where


@every_architecture
def test_exported_network_answers_in_onnx_runtime_as_in_pytorch(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = build(name, SMALL[name]).eval()
    path = tmp_path / "small.onnx"
    label = Label(version="1", licence="CC0-1.0")
    sha256 = export(RECIPE, network, calibration=Calibration(0.5, 0.7), label=label, to=path)
    path.with_suffix(".md").write_text(sha256)
    pixels = np.random.default_rng(2).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = Deployed(network)(torch.from_numpy(pixels)[None])[0].numpy()
    found = load_segmenter(path, Device.CPU, threads=1).probabilities(pixels)
    assert np.ptp(expected) > 1e-3  # it answers something
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_unknown_network_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'atention_unet'.*attention_unet"):
        build("atention_unet", {})
