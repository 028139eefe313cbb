import numpy as np
import pytest
from PIL import Image

from models.rendering import Difficulty, MeterKind, Rendered, render
from service.core.geometry import Box

METERS = (MeterKind.WATER, MeterKind.GAS, MeterKind.ELECTRICITY)


def small(seed: int, *, kind: MeterKind | None = None, **more: object) -> Rendered:
    arguments: dict[str, object] = {"width": 288, "height": 256, **more}
    return render(seed, kind=kind, **arguments)  # type: ignore[arg-type]  # options of one test


def mask_of(rendered: Rendered) -> np.ndarray:
    return np.asarray(rendered.mask)


@pytest.mark.parametrize("kind", METERS)
@pytest.mark.parametrize("difficulty", list(Difficulty))
def test_same_seed_draws_the_same_photo(kind: MeterKind, difficulty: Difficulty) -> None:
    one = small(5, kind=kind, difficulty=difficulty)
    again = small(5, kind=kind, difficulty=difficulty)
    assert one.photo.tobytes() == again.photo.tobytes()
    assert one.mask.tobytes() == again.mask.tobytes()
    assert (one.boxes, one.kind, one.reading) == (again.boxes, again.kind, again.reading)


def test_other_seeds_draw_other_photos() -> None:
    photos = {small(seed, kind=MeterKind.GAS).photo.tobytes() for seed in range(4)}
    assert len(photos) == 4


@pytest.mark.parametrize("kind", METERS)
def test_mask_is_black_and_white_and_bounded_by_its_box(kind: MeterKind) -> None:
    rendered = small(1, kind=kind)
    assert rendered.photo.mode == "RGB"
    assert rendered.mask.mode == "L"
    assert rendered.photo.size == rendered.mask.size == (288, 256)
    assert set(np.unique(mask_of(rendered)).tolist()) == {0, 255}
    assert [rendered.mask.getbbox()] == [(b.left, b.top, b.right, b.bottom) for b in rendered.boxes]
    assert rendered.kind is kind


@pytest.mark.parametrize("seed", range(4))
def test_photo_without_a_meter_has_no_region(seed: int) -> None:
    rendered = small(seed, kind=MeterKind.NONE)
    assert rendered.mask.getbbox() is None
    assert rendered.boxes == ()
    assert rendered.reading == ""


@pytest.mark.parametrize("difficulty", list(Difficulty))
@pytest.mark.parametrize("seed", range(9))
def test_counter_lies_inside_and_fills_a_likely_share(seed: int, difficulty: Difficulty) -> None:
    rendered = small(seed, kind=METERS[seed % 3], difficulty=difficulty)
    (box,) = rendered.boxes
    assert 0.003 <= float((mask_of(rendered) > 0).mean()) <= 0.25
    assert box.left > 0
    assert box.top > 0
    assert box.right < 288
    assert box.bottom < 256


@pytest.mark.parametrize(
    "size", [(256, 256), (256, 700), (700, 256), (256, 4000), (4000, 256), (4000, 3000)]
)
def test_every_size_can_be_drawn(size: tuple[int, int]) -> None:
    rendered = render(3, kind=MeterKind.GAS, width=size[0], height=size[1])
    assert rendered.photo.size == rendered.mask.size == size
    (box,) = rendered.boxes
    assert Box(0, 0, *size).contains(box)
    assert 0.003 <= float((mask_of(rendered) > 0).mean()) <= 0.25


def test_larger_photo_of_a_seed_shows_the_counter_at_the_same_place() -> None:
    # Above the working size a photo is only enlarged, so its mask must be enlarged alike.
    working = render(8, kind=MeterKind.WATER, width=1600, height=300)
    enlarged = render(8, kind=MeterKind.WATER, width=3200, height=600)
    halved = np.asarray(enlarged.mask.resize((1600, 300), Image.Resampling.BOX)) >= 128
    true = mask_of(working) > 0
    assert (halved & true).sum() / (halved | true).sum() > 0.98


@pytest.mark.parametrize("size", [(255, 300), (300, 255), (4001, 300), (300, 0)])
def test_sizes_outside_the_limits_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="each side must be 256 to 4000"):
        render(1, width=size[0], height=size[1])


@pytest.mark.parametrize("meters", [0, 3])
def test_only_one_or_two_meters_can_be_asked_for(meters: int) -> None:
    with pytest.raises(ValueError, match="one or two"):
        render(1, meters=meters)


@pytest.mark.parametrize("seed", range(9))
def test_reading_has_as_many_digits_as_the_counter_shows(seed: int) -> None:
    reading = small(seed, kind=METERS[seed % 3]).reading
    whole, _, decimals = reading.partition(".")
    assert whole.isdigit()
    assert decimals == "" or decimals.isdigit()
    assert 4 <= len(whole) + len(decimals) <= 9


@pytest.mark.parametrize("size", [(512, 300), (300, 512)])
@pytest.mark.parametrize("kind", METERS)
def test_two_meters_have_two_regions_apart(kind: MeterKind, size: tuple[int, int]) -> None:
    rendered = render(4, kind=kind, width=size[0], height=size[1], meters=2)
    first, second = rendered.boxes
    axis_gap = second.left - first.right if size[0] > size[1] else second.top - first.bottom
    assert axis_gap > 0
    assert len(rendered.reading.split(" ")) == 2
    pixels = mask_of(rendered)
    assert (pixels[first.top : first.bottom, first.left : first.right] > 0).any()
    assert (pixels[second.top : second.bottom, second.left : second.right] > 0).any()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("difficulty", list(Difficulty))
def test_cut_counter_touches_the_border(seed: int, difficulty: Difficulty) -> None:
    rendered = small(seed, kind=METERS[seed % 3], difficulty=difficulty, cut_by_border=True)
    (box,) = rendered.boxes
    assert box.left == 0 or box.top == 0 or box.right == 288 or box.bottom == 256


def test_kind_is_drawn_from_the_seed_where_none_is_asked_for() -> None:
    assert {small(seed).kind for seed in range(12)} == set(MeterKind)


@pytest.mark.parametrize("kind", METERS)
def test_plain_counter_stands_out_so_that_it_can_be_read(kind: MeterKind) -> None:
    rendered = render(2, kind=kind, width=512, height=384)
    (box,) = rendered.boxes
    counter = rendered.photo.convert("L").crop((box.left, box.top, box.right, box.bottom))
    dark, bright = np.percentile(np.asarray(counter), [5, 95])
    assert bright - dark > 60
