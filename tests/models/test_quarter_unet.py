import pytest
import torch

from models.networks.quarter_unet import QuarterUNet
from models.networks.unet import UNet
from tests.networks import parameters

SMALL = (4, 6, 8)


@pytest.mark.parametrize("gated", [(), (1,), (1, 2)])
def test_logits_have_the_height_and_width_of_the_pixels(gated: tuple[int, ...]) -> None:
    network = QuarterUNet(SMALL, gated).eval()
    assert network(torch.zeros(2, 3, 64, 32)).shape == (2, 1, 64, 32)


def test_gate_on_a_skip_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no skip \[3\] to gate; they are 1 to 2"):
        QuarterUNet(SMALL, (1, 3))


def test_default_has_fewer_than_a_29th_of_the_parameters_of_u_net() -> None:
    with torch.device("meta"):
        assert parameters(UNet()) / parameters(QuarterUNet()) > 29


def test_every_pixel_that_is_read_counts_and_each_answer_is_its_own() -> None:
    """Striding leaves no pixel out, and shuffling repeats none."""
    torch.manual_seed(0)
    network = QuarterUNet()
    pixels = torch.randn(2, 3, 32, 32, requires_grad=True)
    logits = network(pixels)
    assert logits[0, 0, :4, :4].unique().numel() == 16
    logits.sum().backward()
    assert pixels.grad is not None
    assert (pixels.grad != 0).all()
