import pytest
import torch
from torch import Tensor

from models.networks.gradnet import GradientLayer, GraDNet
from tests.networks import weights


def ramp_to(height: float) -> Tensor:
    """(1, 1, 8, 8): flat, and from column 4 on higher by `height`."""
    features = torch.zeros(1, 1, 8, 8)
    features[..., 4:] = height
    return features


def test_edges_are_half_the_second_difference() -> None:
    edges = GradientLayer(threshold=0.5)(ramp_to(1.0))
    expected = torch.zeros(1, 1, 8, 8)
    expected[..., 3] = 0.5  # below + right - 2 * here = 0 + 1 - 0
    torch.testing.assert_close(edges, expected)


def test_windows_that_vary_too_little_have_no_edge() -> None:
    layer = GradientLayer(threshold=0.5)
    assert layer(ramp_to(0.5)).any()
    assert not layer(ramp_to(0.49)).any()


@pytest.mark.parametrize(("light_at", "expected"), [((3, 3), 0.0), ((5, 5), -0.1), ((6, 6), 0.0)])
def test_edge_is_kept_where_the_next_window_down_the_diagonal_has_one_too(
    light_at: tuple[int, int], expected: float
) -> None:
    """The window around row and column 4 sees 3 to 5, the next one 4 to 6."""
    features = torch.zeros(1, 1, 9, 9)
    features[0, 0, 4, 4] = 0.1
    features[0, 0, *light_at] = 1.0
    assert GradientLayer(threshold=0.5)(features)[0, 0, 4, 4] == pytest.approx(expected)


def test_flat_features_pass_as_they_are_to_the_border() -> None:
    assert not GradientLayer()(torch.full((1, 2, 6, 6), 7.0)).any()


def test_gradient_layer_is_differentiable() -> None:
    features = ramp_to(1.0).double().requires_grad_()
    assert torch.autograd.gradcheck(GradientLayer(threshold=0.5), features)


def test_edges_are_multiplied_with_and_added_to_what_the_stem_answers() -> None:
    network = GraDNet(stem_width=4).eval()
    seen: list[Tensor] = []
    network.stem.register_forward_hook(lambda *passed: seen.append(passed[-1]))
    network.blocks.register_forward_pre_hook(lambda *passed: seen.append(passed[-1][0]))
    network(torch.rand(1, 3, 32, 32))
    features, strengthened = seen
    expected = features * network.gradient(features) + features
    torch.testing.assert_close(strengthened, expected)


def test_convolutions_are_those_of_table_1() -> None:
    with torch.device("meta"):
        network = GraDNet()
    convolutions = [
        one
        for name, one in network.named_modules()
        if isinstance(one, torch.nn.Conv2d) and not name.endswith("shortcut")
    ]
    wide = [(16, (1, 3), (1, 2)), (16, (3, 1), (2, 1))]
    narrow = [(8, (1, 5), (1, 2)), (8, (5, 1), (2, 1))]
    assert [(one.out_channels, one.kernel_size, one.stride) for one in convolutions] == [
        (128, (11, 11), (4, 4)),
        *3 * (wide + narrow),
        *wide,
        (1, (1, 1), (1, 1)),
    ]


@pytest.mark.parametrize("stem_width", [16, 128])
def test_any_stem_width_answers_at_the_size_of_the_photo(stem_width: int) -> None:
    assert GraDNet(stem_width).eval()(torch.zeros(1, 3, 48, 64)).shape == (1, 1, 48, 64)


def test_table_1_comes_to_a_quarter_of_a_megabyte() -> None:
    with torch.device("meta"):
        assert 4 * weights(GraDNet()) == pytest.approx(0.24e6, rel=0.02)
