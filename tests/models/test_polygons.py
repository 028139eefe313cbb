"""LabelMe's and COCO's files, and annotations that do not fit their photo."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models import datasets
from models.datasets import Annotation

SQUARE = [[20, 10], [60, 10], [60, 30], [20, 30]]
"""In a photo of 80x40."""


def write_photo(path: Path, *, size: tuple[int, int] = (80, 40), orientation: int = 1) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (90, 90, 90)).save(path, exif=exif)


def write_labelme(folder: Path, name: str, shapes: list[dict[str, Any]], **said: object) -> None:
    write_photo(folder / f"{name}.jpg")
    size = {"imageWidth": 80, "imageHeight": 40}
    content = {"shapes": shapes, "imagePath": f"{name}.jpg", "imageData": None, **size, **said}
    (folder / f"{name}.json").write_text(json.dumps(content))


def shape(points: object, *, label: str = "counter", kind: str = "polygon") -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind}


def write_coco(folder: Path, annotations: list[dict[str, Any]], **said: object) -> None:
    write_photo(folder / "images" / "a.jpg")
    content = {
        "images": [{"id": 7, "file_name": "a.jpg", "width": 80, "height": 40}],
        "categories": [{"id": 1, "name": "counter"}, {"id": 2, "name": "seal"}],
        "annotations": [{"id": 3, "image_id": 7, "category_id": 1, **one} for one in annotations],
        **said,
    }
    (folder / "coco.json").write_text(json.dumps(content))


def region(folder: Path, *, label: str | None = None) -> tuple[int, int, int, int] | None:
    """The box around the region of the one photo in `folder`, which looks annotated as it is."""
    annotation = datasets.annotation_of(folder)
    (example,) = datasets.examples(folder, annotation, label=label)
    with Image.open(example.image) as photo:
        return datasets.full_mask(example, photo.size).getbbox()


def test_labelme_polygon_becomes_the_region(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape(SQUARE)])
    assert datasets.annotation_of(tmp_path) is Annotation.LABELME
    assert region(tmp_path) == (20, 10, 61, 31)  # with the pixels that the outline touches


def test_labelme_rectangle_is_drawn_from_any_two_corners(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape([[60, 30], [20, 10]], kind="rectangle")])
    assert region(tmp_path) == (20, 10, 61, 31)


def test_polygon_is_more_than_the_box_around_it(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape([[20, 10], [60, 10], [20, 30]])])
    (example,) = datasets.examples(tmp_path, Annotation.LABELME)
    mask = np.asarray(datasets.full_mask(example, (80, 40))) > 0
    assert mask[11, 21]
    assert not mask[28, 58]


def test_only_the_label_that_is_asked_for_counts(tmp_path: Path) -> None:
    seal = shape([[2, 2], [8, 2], [8, 8]], label="seal")
    write_labelme(tmp_path, "a", [shape(SQUARE), seal])
    assert region(tmp_path, label="seal") == (2, 2, 9, 9)
    assert region(tmp_path) == (2, 2, 61, 31)


def test_photo_without_a_shape_has_no_region(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [])
    assert region(tmp_path) is None


def test_coco_polygons_of_one_photo_are_joined(tmp_path: Path) -> None:
    first = {"segmentation": [[2, 2, 8, 2, 8, 8], [20, 10, 60, 10, 60, 30, 20, 30]]}
    write_coco(tmp_path, [first, {"segmentation": [[70, 2, 76, 2, 76, 8]]}])
    assert datasets.annotation_of(tmp_path) is Annotation.COCO
    assert region(tmp_path) == (2, 2, 77, 31)


def test_coco_annotation_without_polygons_is_its_box(tmp_path: Path) -> None:
    write_coco(tmp_path, [{"segmentation": [], "bbox": [20, 10, 40, 20]}])
    assert region(tmp_path) == (20, 10, 61, 31)


def test_coco_category_is_asked_for_by_its_name(tmp_path: Path) -> None:
    seal = {"segmentation": [[2, 2, 8, 2, 8, 8]], "category_id": 2}
    write_coco(tmp_path, [seal, {"segmentation": [[20, 10, 60, 10, 60, 30]]}])
    assert region(tmp_path, label="seal") == (2, 2, 9, 9)
    with pytest.raises(ValueError, match="no category 'dial'; it has: counter, seal"):
        region(tmp_path, label="dial")


def test_coco_photo_without_annotation_has_no_region(tmp_path: Path) -> None:
    write_coco(tmp_path, [])
    assert region(tmp_path) is None


def test_polygons_lie_on_the_upright_photo(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape(SQUARE)])
    write_photo(tmp_path / "a.jpg", size=(40, 80), orientation=6)  # upright it is 80x40
    (example,) = datasets.examples(tmp_path, Annotation.LABELME)
    square = datasets.square(example, 80)
    assert (square.frame.width, square.frame.height) == (80, 40)
    assert Image.fromarray(square.mask).getbbox() == (20, 30, 61, 51)


def test_annotation_for_a_photo_of_another_size_is_told(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape(SQUARE)], imageWidth=40, imageHeight=80)
    with pytest.raises(ValueError, match=r"a\.jpg is 80x40 upright, but .* is for 40x80"):
        region(tmp_path)


def test_polygon_outside_of_the_photo_is_told(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape([[20, 10], [95.5, 10], [20, 30]])])
    with pytest.raises(ValueError, match=r"a\.jpg is 80x40 .* the point 95.5, 10 .* outside"):
        region(tmp_path)


def test_polygon_may_end_on_the_edge(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape([[0, 0], [80, 0], [80, 40], [-0.5, 40.5]])])
    assert region(tmp_path) == (0, 0, 80, 40)


def test_photos_of_both_ways_make_one_fingerprint_each(tmp_path: Path) -> None:
    write_labelme(tmp_path, "a", [shape(SQUARE)])
    before = datasets.fingerprint(datasets.examples(tmp_path, Annotation.LABELME))
    write_labelme(tmp_path, "a", [shape([[20, 10], [61, 10], [60, 30]])])
    assert before != datasets.fingerprint(datasets.examples(tmp_path, Annotation.LABELME))


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ([shape(SQUARE, kind="circle")], "a circle of 4 points is no region"),
        ([shape(SQUARE[:2])], "a polygon of 2 points is no region"),
        ([shape([[1, 2], [3]])], "no points of x and y"),
        ([shape(None)], "no points of x and y"),
    ],
)
def test_labelme_shape_that_is_no_region_is_told(
    tmp_path: Path, shapes: list[dict[str, Any]], told: str
) -> None:
    write_labelme(tmp_path, "a", shapes)
    with pytest.raises(ValueError, match=rf"a\.json: .*{told}"):
        datasets.examples(tmp_path, Annotation.LABELME)


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        ({"segmentation": {"counts": "abc", "size": [40, 80]}}, "annotation 3 is run-length"),
        ({"segmentation": [[1, 2, 3, 4]]}, "annotation 3 has a polygon of less than 3"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "annotation 3 has an odd number"),
        ({"segmentation": []}, "not as COCO describes: KeyError\\('bbox'\\)"),
    ],
)
def test_coco_annotation_that_cannot_be_read_is_told(
    tmp_path: Path, annotation: dict[str, Any], told: str
) -> None:
    write_coco(tmp_path, [annotation])
    with pytest.raises(ValueError, match=rf"coco\.json.*{told}"):
        datasets.examples(tmp_path, Annotation.COCO)


def test_coco_file_of_another_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text("[]")
    with pytest.raises(ValueError, match="not as COCO describes"):
        datasets.examples(tmp_path, Annotation.COCO)


def test_photo_that_is_annotated_but_missing_is_told(tmp_path: Path) -> None:
    write_coco(tmp_path, [])
    (tmp_path / "images" / "a.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.jpg is annotated, but not in"):
        datasets.examples(tmp_path, Annotation.COCO)


def test_file_that_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text("{")
    with pytest.raises(ValueError, match=r"coco\.json is not valid JSON"):
        datasets.examples(tmp_path, Annotation.COCO)


def test_folder_that_is_annotated_in_no_way_is_told(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    with pytest.raises(FileNotFoundError, match="no annotation found"):
        datasets.annotation_of(tmp_path)
