"""Polygons as LabelMe and COCO files hold them, in pixels of the upright photo.

Both name the size of the photo that was drawn on, so that one annotated lying on its side is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Polygon = tuple[tuple[float, float], ...]

COCO_NAMES = ("coco.json", "_annotations.coco.json", "annotations.json", "instances_default.json")


@dataclass(frozen=True, slots=True)
class Outlined:
    """A photo's file as its annotation names it; `size` is (width, height), None if unsaid."""

    file_name: str
    polygons: tuple[Polygon, ...]
    size: tuple[int, int] | None


def labelme(folder: Path, label: str | None) -> Iterator[Outlined]:
    """One JSON file a photo, as LabelMe writes it; other JSON is passed over.

    Only shapes called `label` count where it is given; a photo without any shape has no region.
    """
    for file in sorted(folder.glob("*.json")):
        said = _read(file)
        if isinstance(said, dict) and "shapes" in said:
            yield Outlined(
                Path(said.get("imagePath") or file.stem).name,
                tuple(_labelme_polygon(shape, file) for shape in _called(said["shapes"], label)),
                _size(said, "imageWidth", "imageHeight"),
            )


def coco(file: Path, label: str | None) -> Iterator[Outlined]:
    """All photos of one file; of categories only `label`, where it is given."""
    said = _read(file)
    try:
        categories = {one["id"]: one["name"] for one in said.get("categories", [])}
        if label is not None and label not in categories.values():
            known = ", ".join(sorted(categories.values()))
            raise ValueError(f"{file} has no category {label!r}; it has: {known}")
        regions: dict[int, list[Polygon]] = {}
        for one in said["annotations"]:
            if label is None or categories[one["category_id"]] == label:
                regions.setdefault(one["image_id"], []).extend(_coco_polygons(one, file))
        for image in said["images"]:
            found = tuple(regions.get(image["id"], ()))
            yield Outlined(image["file_name"], found, _size(image, "width", "height"))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is not as COCO describes: {error!r}") from error


def coco_file(folder: Path) -> Path | None:
    """The file with the annotations of all photos of `folder`, by the names usual for it."""
    return next((folder / name for name in COCO_NAMES if (folder / name).is_file()), None)


def holds_labelme(folder: Path) -> bool:
    said = (_read(file) for file in sorted(folder.glob("*.json")))
    return any(isinstance(one, dict) and "shapes" in one for one in said)


def _read(file: Path) -> Any:  # noqa: ANN401  JSON
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file} is not valid JSON: {error}") from error


def _called(shapes: Iterable[dict[str, Any]], label: str | None) -> list[dict[str, Any]]:
    return [shape for shape in shapes if label is None or shape.get("label") == label]


def _labelme_polygon(shape: Mapping[str, Any], file: Path) -> Polygon:
    kind, points = shape.get("shape_type") or "polygon", _points(shape.get("points"), file)
    match kind:
        case "polygon" if len(points) >= 3:
            return points
        case "rectangle" if len(points) == 2:
            (left, top), (right, bottom) = points
            return (left, top), (right, top), (right, bottom), (left, bottom)
        case _:
            raise ValueError(
                f"{file}: a {kind} of {len(points)} points is no region; draw polygons, "
                "or rectangles of two corners"
            )


def _coco_polygons(annotation: Mapping[str, Any], file: Path) -> list[Polygon]:
    """Each part of the region; the box where there is nothing more exact."""
    parts = annotation.get("segmentation")
    if isinstance(parts, dict):
        raise ValueError(
            f"{file}: annotation {annotation.get('id')} is run-length encoded; export polygons"
        )
    if not parts:
        left, top, width, height = annotation["bbox"]
        right, bottom = left + width, top + height
        parts = [[left, top, right, top, right, bottom, left, bottom]]
    if any(len(part) % 2 for part in parts):
        raise ValueError(f"{file}: annotation {annotation.get('id')} has an odd number of values")
    polygons = [_points(list(zip(part[::2], part[1::2], strict=True)), file) for part in parts]
    if any(len(polygon) < 3 for polygon in polygons):
        raise ValueError(
            f"{file}: annotation {annotation.get('id')} has a polygon of less than 3 points"
        )
    return polygons


def _points(pairs: Any, file: Path) -> Polygon:  # noqa: ANN401  JSON
    try:
        return tuple((float(x), float(y)) for x, y in pairs)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: {str(pairs)[:60]} are no points of x and y") from error


def _size(said: Mapping[str, Any], width: str, height: str) -> tuple[int, int] | None:
    if not said.get(width) or not said.get(height):
        return None
    return int(said[width]), int(said[height])
