import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models import augment, datasets


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
