"""Annotated photos as letterboxed squares with their masks.

Two layouts are read: a folder of `images` and `masks` of the same names (0 or 255), and a folder
of photos, or of `images`, with a `boxes.json` that maps each name to its `boxes` or one `box`
(left, top, right, bottom, in pixels of the upright photo).
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

from service.core.geometry import Letterbox
from service.imaging.letterbox import letterboxed


class Annotation(StrEnum):
    MASKS = "masks"
    BOXES = "boxes"


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated photo, not yet read."""

    name: str
    image: Path
    mask: Path | None
    boxes: tuple[tuple[float, ...], ...] = ()


Split = tuple[list[Example], list[Example]]  # train and val


@dataclass(frozen=True, slots=True)
class Square:
    """One photo as the model sees it."""

    pixels: NDArray[np.uint8]  # (side, side, 3)
    mask: NDArray[np.uint8]  # (side, side), 0 or 255
    frame: Letterbox


def annotation_of(folder: Path) -> Annotation:
    """How the photos of `folder` are annotated; masks where there are both."""
    return Annotation.MASKS if (folder / "masks").is_dir() else Annotation.BOXES


def examples(folder: Path, annotation: Annotation) -> list[Example]:
    """All annotated photos of `folder`, sorted by name; raises FileNotFoundError without any."""
    match annotation:
        case Annotation.MASKS:
            found = [
                Example(image.stem, image, folder / "masks" / f"{image.stem}.png")
                for image in sorted((folder / "images").glob("*.jpg"))
            ]
        case Annotation.BOXES:
            photos = folder / "images" if (folder / "images").is_dir() else folder
            found = [
                Example(name, photos / f"{name}.jpg", None, _boxes(entry))
                for name, entry in sorted(json.loads((folder / "boxes.json").read_text()).items())
            ]
    if not found:
        raise FileNotFoundError(
            f"no annotated photo in {folder}; are `images` and {annotation} there?"
        )
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
    """The region at the photo's own `size` (width, height), mode `L`, 0 or 255."""
    if example.mask is not None:
        return Image.open(example.mask).convert("L")
    mask = Image.new("L", size, 0)
    for left, top, right, bottom in example.boxes:
        ImageDraw.Draw(mask).rectangle((left, top, right - 1, bottom - 1), fill=255)
    return mask


def fingerprint(found: Iterable[Example]) -> str:
    """SHA-256 over all names and bytes: what a result was trained or measured on."""
    digest = hashlib.sha256()
    for example in found:
        digest.update(example.name.encode())
        digest.update(example.image.read_bytes())
        digest.update(example.mask.read_bytes() if example.mask else repr(example.boxes).encode())
    return digest.hexdigest()


def _boxes(entry: dict[str, Any]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(box) for box in entry.get("boxes") or [entry["box"]])


def _share_of(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32
