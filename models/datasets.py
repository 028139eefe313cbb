"""Annotated photos as letterboxed squares with their masks.

Four layouts of a folder are read. Photos lie in its `images`, or in itself where there is none:
- masks: `masks` of the same names, PNG, 0 or 255, as large as the upright photo;
- boxes: a `boxes.json` that maps each name to its `boxes` or one `box` (left, top, right, bottom,
  in pixels of the upright photo);
- labelme: beside each photo a JSON file of LabelMe's;
- coco: one `coco.json` (or named as the usual tools do) with COCO's polygons.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from models import polygons
from models.polygons import Outlined, Polygon
from service.core.geometry import Letterbox
from service.imaging.letterbox import letterboxed

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp"))
HELD_OUT_SHARE = 0.1
"""Of a folder without a split of its own, where nobody says another."""
OUTSIDE_PX = 1.0
"""So far over the edge a point may lie: tools round, and some count pixels from their corner."""


class Annotation(StrEnum):
    MASKS = "masks"
    BOXES = "boxes"
    LABELME = "labelme"
    COCO = "coco"


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated photo, not yet read.

    The region is `mask`, or where there is none all `boxes` and `polygons`. Those were drawn on a
    photo of `size`, if that is known.
    """

    name: str
    image: Path
    mask: Path | None
    boxes: tuple[tuple[float, ...], ...] = ()
    polygons: tuple[Polygon, ...] = ()
    size: tuple[int, int] | None = None


Split = tuple[list[Example], list[Example]]  # train and val


@dataclass(frozen=True, slots=True)
class Square:
    """One photo as the model sees it."""

    pixels: NDArray[np.uint8]  # (side, side, 3)
    mask: NDArray[np.uint8]  # (side, side), 0 or 255
    frame: Letterbox


def annotation_of(folder: Path) -> Annotation:
    """How the photos of `folder` look annotated; masks where there is more than one way."""
    if (folder / "masks").is_dir():
        return Annotation.MASKS
    if (folder / "boxes.json").is_file():
        return Annotation.BOXES
    if polygons.coco_file(folder):
        return Annotation.COCO
    if polygons.holds_labelme(_photos_of(folder)):
        return Annotation.LABELME
    raise FileNotFoundError(
        f"no annotation found in {folder}; there must be `masks`, a boxes.json, a coco.json or "
        "LabelMe's files"
    )


def examples(folder: Path, annotation: Annotation, *, label: str | None = None) -> list[Example]:
    """All annotated photos of `folder`, sorted by name.

    Raises FileNotFoundError without any, or where a file that is named is not there, ValueError
    for an annotation that cannot be understood.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    if label is not None and annotation in (Annotation.MASKS, Annotation.BOXES):
        raise ValueError(f"{annotation} have no label, but {label!r} of {folder} is asked for")
    found = _found(folder, annotation, label)
    if not found:
        raise FileNotFoundError(
            f"no annotated photo in {folder}; are `images` and {annotation} there?"
        )
    _require_distinct(found, folder)
    return found


def split(found: Iterable[Example], folder: Path, validation_share: float) -> Split:
    """(train, val): by the folder's `split.json`, else by a hash of the name up to its first `_`.

    Copies of one meter share that part of the name, so they never stand on both sides.
    """
    listed = folder / "split.json"
    if listed.exists():
        validation = set(json.loads(listed.read_text())["val"])
        held_out = [example for example in found if example.name in validation]
    else:
        held_out = [e for e in found if _share_of(e.name.split("_")[0]) < validation_share]
    names = {example.name for example in held_out}
    return [example for example in found if example.name not in names], held_out


def square(example: Example, side: int) -> Square:
    """The example letterboxed to `side` pixels, EXIF orientation applied, mask alongside."""
    photo = ImageOps.exif_transpose(Image.open(example.image))
    frame = Letterbox(photo.width, photo.height, side)
    inner = frame.inner
    mask = full_mask(example, photo.size).resize((inner.width, inner.height), Image.Resampling.BOX)
    padded = np.zeros((side, side), dtype=np.uint8)
    padded[inner.top : inner.bottom, inner.left : inner.right] = np.asarray(mask)
    return Square(letterboxed(photo, frame), (padded >= 128).astype(np.uint8) * 255, frame)


def full_mask(example: Example, size: tuple[int, int]) -> Image.Image:
    """The region at the photo's own upright `size` (width, height), mode `L`, 0 or 255.

    Raises ValueError where the annotation does not fit a photo of that size.
    """
    drawn_on = example.size
    if example.mask is not None:
        mask = Image.open(example.mask).convert("L")
        drawn_on = mask.size
    else:
        mask = _drawn(example, size)
    if drawn_on not in (None, size):
        raise ValueError(
            f"{example.image} is {size[0]}x{size[1]} upright, but its annotation is for "
            f"{drawn_on[0]}x{drawn_on[1]}"
        )
    return mask


def fingerprint(found: Iterable[Example]) -> str:
    """SHA-256 over all names and bytes: what a result was trained or measured on."""
    digest = hashlib.sha256()
    for example in found:
        digest.update(example.name.encode())
        digest.update(example.image.read_bytes())
        digest.update(_annotation_bytes(example))
    return digest.hexdigest()


def _found(folder: Path, annotation: Annotation, label: str | None) -> list[Example]:
    photos = _photos_of(folder)
    match annotation:
        case Annotation.MASKS:
            images = (file for file in photos.glob("*") if file.suffix.lower() in SUFFIXES)
            return [_masked(image, folder / "masks") for image in sorted(images)]
        case Annotation.BOXES:
            return _boxed(photos, folder / "boxes.json")
        case Annotation.LABELME:
            return _outlined(polygons.labelme(photos, label), photos)
        case Annotation.COCO:
            file = polygons.coco_file(folder)
            if file is None:
                raise FileNotFoundError(f"there is no coco.json in {folder}")
            return _outlined(polygons.coco(file, label), photos)


def _photos_of(folder: Path) -> Path:
    return folder / "images" if (folder / "images").is_dir() else folder


def _masked(image: Path, masks: Path) -> Example:
    mask = masks / f"{image.stem}.png"
    if not mask.is_file():
        raise FileNotFoundError(f"{image} has no mask; there is no {mask}")
    return Example(image.stem, image, mask)


def _photo(photos: Path, name: str) -> Path:
    """`name` may lack the suffix, and may lead through folders that were not kept."""
    for path in (photos / name, photos / Path(name).name):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            return path
    beside = (photos / f"{name}{suffix}" for suffix in sorted(SUFFIXES))
    found = next((path for path in beside if path.is_file()), None)
    if found is None:
        raise FileNotFoundError(f"the photo {name} is annotated, but not in {photos}")
    return found


def _outlined(found: Iterable[Outlined], photos: Path) -> list[Example]:
    read = ((_photo(photos, one.file_name), one) for one in found)
    examples = (Example(p.stem, p, None, (), one.polygons, one.size) for p, one in read)
    return sorted(examples, key=lambda example: example.name)


def _require_distinct(found: Iterable[Example], folder: Path) -> None:
    seen: set[str] = set()
    for example in found:
        if example.name in seen:
            raise ValueError(f"two photos of {folder} are called {example.name}; rename one")
        seen.add(example.name)


def _drawn(example: Example, size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    for left, top, right, bottom in example.boxes:
        if left >= size[0] or top >= size[1] or right <= 0 or bottom <= 0:
            raise _outside(example, size, f"the box {left:g}, {top:g}, {right:g}, {bottom:g}")
        draw.rectangle((left, top, right - 1, bottom - 1), fill=255)
    for polygon in example.polygons:
        _require_inside(example, polygon, size)
        draw.polygon(polygon, fill=255)  # pixels that the outline touches count
    return mask


def _require_inside(
    example: Example, points: Iterable[tuple[float, float]], size: tuple[int, int]
) -> None:
    for x, y in points:
        if max(-x, x - size[0], -y, y - size[1]) > OUTSIDE_PX:
            raise _outside(example, size, f"the point {x:g}, {y:g}")


def _outside(example: Example, size: tuple[int, int], what: str) -> ValueError:
    return ValueError(
        f"{example.image} is {size[0]}x{size[1]} upright, but {what} of its annotation lies outside"
    )


def _annotation_bytes(example: Example) -> bytes:
    if example.mask:
        return example.mask.read_bytes()
    return repr(example.boxes or example.polygons).encode()


def _boxed(photos: Path, listed: Path) -> list[Example]:
    try:
        entries = sorted(json.loads(listed.read_text()).items())
        return [Example(name, _photo(photos, name), None, _boxes(entry)) for name, entry in entries]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{listed} does not map names to `boxes` of left, top, right, bottom: {error!r}"
        ) from error


def _boxes(entry: dict[str, Any]) -> tuple[tuple[float, ...], ...]:
    boxes = tuple(tuple(box) for box in (entry["boxes"] if "boxes" in entry else [entry["box"]]))
    for left, top, right, bottom in boxes:
        if left >= right or top >= bottom:
            raise ValueError(f"a box without area, {left}, {top}, {right}, {bottom}")
    return boxes


def _share_of(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
