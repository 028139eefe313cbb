import pytest
import torch

from models.networks.subpixel_unet import SubpixelUNet
from models.networks.unet import UNet
from tests.networks import parameters

SMALL = (4, 6, 8)


@pytest.mark.parametrize("gated", [(), (1,), (1, 2)])
def test_logits_have_the_height_and_width_of_the_pixels(gated: tuple[int, ...]) -> None:
    network = SubpixelUNet(SMALL, gated).eval()
    assert network(torch.zeros(2, 3, 64, 32)).shape == (2, 1, 64, 32)


def test_default_has_no_more_than_a_29th_of_the_parameters_of_u_net() -> None:
    with torch.device("meta"):
        assert parameters(UNet()) / parameters(SubpixelUNet()) > 29.26


def test_every_pixel_that_is_read_counts_and_each_answer_is_its_own() -> None:
    """Folding loses nothing."""
    torch.manual_seed(0)
    network = SubpixelUNet(SMALL)
    pixels = torch.randn(1, 3, 32, 32, requires_grad=True)
    logits = network(pixels)
    assert logits[0, 0, :2, :2].unique().numel() == 4
    logits.sum().backward()
    assert pixels.grad is not None
    assert (pixels.grad != 0).all()
