import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import augment, datasets
from models.augment import Augmentation


def write_photo(path: Path, *, size: tuple[int, int], orientation: int = 1) -> None:
    rng = np.random.default_rng(size[0])
    pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif)


def write_boxes(folder: Path, names: list[str]) -> None:
    for name in names:
        write_photo(folder / "images" / f"{name}.jpg", size=(80, 40))
    entry = {"width": 80, "height": 40, "boxes": [[20, 10, 60, 30]]}
    (folder / "boxes.json").write_text(json.dumps(dict.fromkeys(names, entry)))


def test_boxes_become_masks_in_the_square(tmp_path: Path) -> None:
    write_boxes(tmp_path, ["a_1"])
    (example,) = datasets.examples(tmp_path, datasets.Annotation.BOXES)
    square = datasets.square(example, 40)  # half size: 40x20 pixels, 10 rows of padding
    rows, columns = np.nonzero(square.mask)
    assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (10, 30, 15, 25)


def test_mask_lies_on_the_upright_photo(tmp_path: Path) -> None:
    write_photo(tmp_path / "images" / "m.jpg", size=(80, 40), orientation=6)
    mask = Image.new("L", (40, 80), 0)
    mask.paste(255, (10, 60, 30, 70))
    (tmp_path / "masks").mkdir()
    mask.save(tmp_path / "masks" / "m.png")
    (example,) = datasets.examples(tmp_path, datasets.Annotation.MASKS)
    square = datasets.square(example, 80)
    assert (square.frame.width, square.frame.height) == (40, 80)
    assert Image.fromarray(square.mask).getbbox() == (30, 60, 50, 70)


def test_copies_of_one_meter_stay_on_one_side_of_the_split(tmp_path: Path) -> None:
    names = [f"meter{number}_{copy}" for number in range(30) for copy in range(3)]
    write_boxes(tmp_path, names)
    found = datasets.examples(tmp_path, datasets.Annotation.BOXES)
    train, validation = datasets.split(found, tmp_path, 0.3)
    sides = [{example.name.split("_")[0] for example in side} for side in (train, validation)]
    assert sides[0]
    assert sides[1]
    assert not sides[0] & sides[1]
    assert len(train) + len(validation) == len(names)


def test_listed_split_is_kept(tmp_path: Path) -> None:
    write_boxes(tmp_path, ["a", "b", "c"])
    (tmp_path / "split.json").write_text(json.dumps({"train": ["a", "c"], "val": ["b"]}))
    found = datasets.examples(tmp_path, datasets.Annotation.BOXES)
    _, validation = datasets.split(found, tmp_path, 0.5)
    assert [example.name for example in validation] == ["b"]


def test_folder_without_photos_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no annotated photo"):
        datasets.examples(tmp_path, datasets.Annotation.MASKS)


def test_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere"):
        datasets.examples(tmp_path / "nowhere", datasets.Annotation.MASKS)


def write_masked(folder: Path, *, mask_size: tuple[int, int] = (80, 40)) -> None:
    write_photo(folder / "images" / "m.jpg", size=(80, 40))
    (folder / "masks").mkdir()
    Image.new("L", mask_size, 0).save(folder / "masks" / "m.png")


def test_mask_of_another_size_than_its_photo_is_an_error(tmp_path: Path) -> None:
    write_masked(tmp_path, mask_size=(40, 80))
    (example,) = datasets.examples(tmp_path, datasets.Annotation.MASKS)
    with pytest.raises(ValueError, match=r"m\.jpg is 80x40 upright, but .* is for 40x80"):
        datasets.square(example, 32)


def test_photo_without_its_mask_is_an_error(tmp_path: Path) -> None:
    write_masked(tmp_path)
    (tmp_path / "masks" / "m.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"m\.jpg has no mask"):
        datasets.examples(tmp_path, datasets.Annotation.MASKS)


def test_photos_of_other_formats_are_found_but_not_two_of_one_name(tmp_path: Path) -> None:
    write_masked(tmp_path)
    write_photo(tmp_path / "images" / "n.PNG", size=(80, 40))
    Image.new("L", (80, 40), 0).save(tmp_path / "masks" / "n.png")
    found = datasets.examples(tmp_path, datasets.Annotation.MASKS)
    assert [example.name for example in found] == ["m", "n"]
    write_photo(tmp_path / "images" / "m.webp", size=(80, 40))
    with pytest.raises(ValueError, match=r"two photos .* are called m"):
        datasets.examples(tmp_path, datasets.Annotation.MASKS)


def test_photo_without_any_box_has_no_region(tmp_path: Path) -> None:
    write_boxes(tmp_path, ["a"])
    (tmp_path / "boxes.json").write_text(json.dumps({"a": {"boxes": []}}))
    (example,) = datasets.examples(tmp_path, datasets.Annotation.BOXES)
    assert not datasets.square(example, 32).mask.any()


@pytest.mark.parametrize("entry", [{}, {"boxes": [[1, 2, 3]]}, {"boxes": [[9, 2, 3, 4]]}, 5])
def test_box_that_is_none_is_an_error(tmp_path: Path, entry: object) -> None:
    write_boxes(tmp_path, ["a"])
    (tmp_path / "boxes.json").write_text(json.dumps({"a": entry}))
    with pytest.raises(ValueError, match=r"boxes\.json does not map names"):
        datasets.examples(tmp_path, datasets.Annotation.BOXES)


def test_box_outside_of_the_photo_is_an_error(tmp_path: Path) -> None:
    write_boxes(tmp_path, ["a"])
    (tmp_path / "boxes.json").write_text(json.dumps({"a": {"box": [90, 10, 120, 30]}}))
    (example,) = datasets.examples(tmp_path, datasets.Annotation.BOXES)
    with pytest.raises(ValueError, match=r"a\.jpg is 80x40 .* the box 90, 10, 120, 30"):
        datasets.square(example, 32)


def test_fingerprint_changes_with_any_annotation(tmp_path: Path) -> None:
    write_boxes(tmp_path, ["a"])
    before = datasets.fingerprint(datasets.examples(tmp_path, datasets.Annotation.BOXES))
    again = datasets.fingerprint(datasets.examples(tmp_path, datasets.Annotation.BOXES))
    entry = {"width": 80, "height": 40, "boxes": [[20, 10, 60, 31]]}
    (tmp_path / "boxes.json").write_text(json.dumps({"a": entry}))
    after = datasets.fingerprint(datasets.examples(tmp_path, datasets.Annotation.BOXES))
    assert before == again != after


@pytest.fixture
def painted(tmp_path: Path) -> datasets.Square:
    """Dark photo whose region alone is bright, so that a view shows whether its mask fits."""
    folder = tmp_path / "painted"
    (folder / "images").mkdir(parents=True)
    photo = Image.new("RGB", (200, 160), (20, 20, 20))
    photo.paste((230, 230, 230), (80, 60, 140, 90))
    photo.save(folder / "images" / "p.jpg", quality=95)
    entry = {"width": 200, "height": 160, "boxes": [[80, 60, 140, 90]]}
    (folder / "boxes.json").write_text(json.dumps({"p": entry}))
    return datasets.square(datasets.examples(folder, datasets.Annotation.BOXES)[0], 192)


def test_warp_moves_photo_and_mask_together(painted: datasets.Square) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        pixels, mask = augment.warped(painted.pixels, painted.mask, window=128, side=128, rng=rng)
        bright = pixels.min(axis=2) > 150
        overlap = (bright & (mask > 0)).sum() / max(1, (bright | (mask > 0)).sum())
        assert overlap > 0.8 or not mask.any()


def test_covered_counter_is_no_region(painted: datasets.Square) -> None:
    pixels, mask = augment.covered(painted.pixels, painted.mask, np.random.default_rng(1))
    assert not mask.any()
    assert (pixels[painted.mask > 0] == painted.pixels[painted.mask > 0]).mean() < 0.5


def test_shares_of_covered_and_turned_views_are_those_asked_for(painted: datasets.Square) -> None:
    def regions(*, covered_share: float, turned_share: float) -> list[tuple[int, int]]:
        """(width, height) of the region of many views."""
        sizes = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            _, mask = augment.view(
                painted, painted, window=192, side=192, rng=rng,
                covered_share=covered_share, turned_share=turned_share,
            )  # fmt: skip
            left, top, right, bottom = Image.fromarray(mask).getbbox() or (0, 0, 0, 0)
            sizes.append((right - left, bottom - top))
        return sizes

    upright = [w > h for w, h in regions(covered_share=0.0, turned_share=0.0)]
    turned = [w > h for w, h in regions(covered_share=0.0, turned_share=1.0)]
    hidden = [w == 0 for w, _ in regions(covered_share=1.0, turned_share=0.0)]
    assert all(upright)
    assert 0 < sum(turned) < len(turned)
    assert sum(hidden) > 30  # the rest show another photo beside it


def test_doubled_photo_has_two_regions(painted: datasets.Square) -> None:
    _, mask = augment.doubled(painted.pixels, painted.mask, painted, np.random.default_rng(2))
    halves = np.array_split(mask, 2, axis=0), np.array_split(mask, 2, axis=1)
    assert any(all(half.any() for half in pair) for pair in halves)


@pytest.mark.parametrize("window", [64, 128])
def test_view_repeats_from_its_seed_and_differs_between_seeds(
    painted: datasets.Square, window: int
) -> None:
    def view(seed: int) -> augment.View:
        rng = np.random.default_rng(seed)
        return augment.view(painted, painted, window=window, side=128, rng=rng)

    pixels, mask = view(7)
    assert pixels.shape == (window, window, 3)
    assert set(np.unique(mask)) <= {0, 255}
    np.testing.assert_array_equal(pixels, view(7)[0])
    assert not np.array_equal(pixels, view(8)[0])


@pytest.mark.parametrize("kind", [Augmentation.NONE, Augmentation.FLIPS])
def test_plain_view_of_a_whole_square_is_the_square_or_its_mirror(
    painted: datasets.Square, kind: Augmentation
) -> None:
    mirrored = set()
    for seed in range(12):
        rng = np.random.default_rng(seed)
        pixels, mask = augment.plain_view(painted, kind, window=192, side=192, rng=rng)
        same = np.array_equal(pixels, painted.pixels)
        assert same or np.array_equal(pixels, painted.pixels[:, ::-1])
        np.testing.assert_array_equal(mask, painted.mask if same else painted.mask[:, ::-1])
        mirrored.add(not same)
    assert mirrored == ({False} if kind is Augmentation.NONE else {False, True})


def test_plain_view_of_a_window_is_a_cut_at_the_model_s_scale(painted: datasets.Square) -> None:
    rng = np.random.default_rng(4)
    pixels, mask = augment.plain_view(painted, Augmentation.NONE, window=64, side=96, rng=rng)
    assert pixels.shape == (64, 64, 3)
    left, top, right, bottom = Image.fromarray(mask).getbbox() or (0, 0, 0, 0)
    assert 26 <= right - left <= 30  # 57.6 pixels of the square of 192, at half the scale
    assert 12 <= bottom - top <= 16
    assert (pixels[mask > 0] > 120).all()


def test_light_and_noise_change_few_views_and_no_mask(painted: datasets.Square) -> None:
    kind, changed = Augmentation.FLIPS_LIGHT_NOISE, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        pixels, mask = augment.plain_view(painted, kind, window=192, side=192, rng=rng)
        assert mask.sum() == painted.mask.sum()
        changed += pixels.astype(int).sum() != painted.pixels.astype(int).sum()
    assert 2 <= changed <= 25


def test_views_lie_at_all_angles(painted: datasets.Square) -> None:
    quadrants = set()
    for seed in range(60):
        angle = augment._angle(np.random.default_rng(seed), 1.0)
        quadrants.add(int(np.degrees(angle) % 360 // 30))
    assert quadrants == set(range(12))


def test_views_are_blurred_tinted_and_compressed(painted: datasets.Square) -> None:
    rough = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)

    def sharpness(pixels: augment.Pixels) -> float:
        return float(np.abs(np.diff(pixels.astype(float), axis=0)).mean())

    def cast(pixels: augment.Pixels) -> float:
        return float(np.ptp(pixels.astype(float).mean(axis=(0, 1))))

    seeds = [np.random.default_rng(seed) for seed in range(30)]
    assert min(sharpness(augment.blurred(rough, rng)) for rng in seeds) < 0.6 * sharpness(rough)
    assert max(cast(augment.lit(rough, rng)) for rng in seeds) > cast(rough) + 10
    assert any(not np.array_equal(augment.compressed(rough, rng), rough) for rng in seeds)


def test_glare_is_brightest_at_its_middle() -> None:
    spots = [augment._spot(64, np.random.default_rng(seed)) for seed in range(20)]
    assert max(float(spot.max()) for spot in spots) > 0.4
    assert min(float(spot.min()) for spot in spots) < -0.2  # a shadow
