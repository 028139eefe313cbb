"""Archives as years leave them: photos of meters, and among them what is broken, odd or no photo.

for key, content, expected in make_archive(meter_photos(), objects=2_000):
    ...
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from functools import cache
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from PIL import Image

from models.rendering import MeterKind, render
from service.core.archive import CROP_MARK
from service.core.job import Item, ItemState
from service.imaging.jpeg_file import jpeg_header
from tests import photos

REAL_PHOTOS = Path(__file__).parents[2] / "shared" / "data"
"""Beside the checkout, on machines that have some."""
MOST_PHOTOS, RENDERED_PHOTOS = 80, 12


class Damage(StrEnum):
    TRUNCATED = auto()
    FLIPPED = auto()
    """Bits in a JPEG's frame header, which then claims a sampling that there can't be."""
    EMPTY = auto()
    ZEROED = auto()
    TEXT = auto()
    PDF = auto()


REFUSED_AS = {
    Damage.TRUNCATED: "photo.truncated",
    Damage.FLIPPED: "photo.corrupt",
    Damage.EMPTY: "photo.empty",
    Damage.ZEROED: "photo.unsupported",
    Damage.TEXT: "photo.unsupported",
    Damage.PDF: "photo.unsupported",
}


class Oddity(StrEnum):
    """In order, and yet no JPEG of its own under an everyday name."""

    PNG = auto()
    HEIC = auto()
    ANIMATED_GIF = auto()
    ODD_KEY = auto()
    DEEP_KEY = auto()
    CROP_MARKED = auto()
    """Named as the crops of jobs are, which no job takes for sources."""
    TWIN = auto()
    """The bytes of another object once more."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How an object's item may end; without a `code`, any will do."""

    states: frozenset[ItemState]
    code: str | None = None
    twin: str | None = None
    """The key with the same bytes: one of the two is skipped, and nobody knows which."""

    def is_met_by(self, item: Item) -> bool:
        return item.state in self.states and self.code in (None, item.code)


class ArchiveEntry(NamedTuple):
    key: str
    content: bytes
    expected: Expected


@dataclass(frozen=True, slots=True)
class Tally:
    """What a first job over all entries must count; `photos` are cropped or kept."""

    total: int
    photos: int
    failed: int
    skipped: int


PHOTO = Expected(frozenset({ItemState.CROPPED, ItemState.KEPT_ORIGINAL}))
CROP = Expected(frozenset({ItemState.SKIPPED}), "is_crop")
ODD_KEYS = (
    "städte/Zähler {}/größe.jpg",
    "水表/読み取り {}.jpg",
    "e\u0301 of two parts/{}.jpg",
    "photos 📷/{}.JPEG",
    "with spaces/ {}  photo.jpg",
    "100%/a%20b%2F{}.jpg",
    "plus+and&equals=;{}.jpg",
    "#hash?query={}.jpg",
    "quotes'\"{}.jpg",
    "=formula({}),comma.jpg",
    "no ending/{}",
    "wrong ending/{}.png",
)
FOLDERS = "/".join(f"level-{level:02}" for level in range(40))


def make_archive(
    originals: Sequence[bytes],
    *,
    objects: int,
    broken_share: float = 0.05,
    odd_share: float = 0.05,
    oversized_bytes: int | None = None,
    seed: int = 0,
) -> Iterator[ArchiveEntry]:
    """So many objects, the same in every run, one at a time; `originals` are JPEGs.

    Every kind of damage and oddity takes turns, at most half of the archive in all. One more is
    broken where `oversized_bytes` says how large it is to be, which is over the service's limit.
    """
    if oversized_bytes is not None:
        objects -= 1
        yield _oversized(originals[0], oversized_bytes)
    kinds = _kinds(round(objects * broken_share), round(objects * odd_share), objects=objects)
    Random(seed).shuffle(kinds)
    plain = (number for number, kind in enumerate(kinds) if kind is None)
    twins = (number for number, kind in enumerate(kinds) if kind is Oddity.TWIN)
    pairs = dict(zip(twins, plain, strict=False))
    pairs |= {one: other for other, one in pairs.items()}
    for number, kind in enumerate(kinds):
        photo = originals[number % len(originals)]
        match kind:
            case None:
                entry = ArchiveEntry(_key(number), numbered(photo, number), PHOTO)
            case Damage():
                entry = _broken(photo, kind, number)
            case Oddity.TWIN:
                other = pairs[number]
                same = numbered(originals[other % len(originals)], other)
                entry = ArchiveEntry(_key(number), same, PHOTO)
            case Oddity():
                entry = _odd(photo, kind, number)
        yield _paired(entry, _key(pairs[number])) if number in pairs else entry


def tally(expected: Iterable[Expected]) -> Tally:
    every = tuple(expected)
    failed = sum(each.states == {ItemState.FAILED} for each in every)
    skipped = (
        sum(each is CROP for each in every) + sum(each.twin is not None for each in every) // 2
    )
    return Tally(len(every), len(every) - failed - skipped, failed, skipped)


def damaged(content: bytes, kind: Damage) -> bytes:
    """What became of a JPEG, or lies under its name instead."""
    match kind:
        case Damage.TRUNCATED:
            return photos.cut_short(content, 0.6)
        case Damage.FLIPPED:
            return _with_flipped_bits(content)
        case Damage.EMPTY:
            return b""
        case Damage.ZEROED:
            return bytes(len(content))
        case Damage.TEXT:
            return b"no reading, the cellar was locked\n"
        case Damage.PDF:
            return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"


def numbered(content: bytes, number: int) -> bytes:
    """Another file of the very same pixels, through what its format has for comments."""
    text = f"number {number:08}".encode()
    match content[:4]:
        case b"\x89PNG":
            chunk = b"tEXtComment\0" + text
            framed = (
                struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
            )
            return content[:33] + framed + content[33:]
        case b"GIF8":
            return content[:-1] + b"\x21\xfe" + bytes((len(text),)) + text + b"\0" + content[-1:]
        case start if start[:3] == b"\xff\xd8\xff":
            segment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
            return content[:2] + segment + content[2:]
        case _:  # HEIC
            return content + struct.pack(">I", len(text) + 8) + b"free" + text


@cache
def meter_photos(*, longer_px: int = 960, folder: Path = REAL_PHOTOS) -> tuple[bytes, ...]:
    """JPEGs whose longer side has that many pixels, EXIF kept; made once in a process.

    Real ones where there are any so large in `folder`, else rendered ones.
    """
    large = [path for path in sorted(folder.rglob("*.jpg")) if _longer_px(path) >= longer_px]
    every = max(1, -(-len(large) // MOST_PHOTOS))
    real = tuple(_shrunk(path, longer_px) for path in large[::every])
    return real or tuple(_rendered(seed, longer_px) for seed in range(RENDERED_PHOTOS))


def _kinds(broken: int, odd: int, *, objects: int) -> list[Damage | Oddity | None]:
    if broken + odd > objects // 2:
        raise ValueError(f"{broken} broken and {odd} odd objects are over half of {objects}")
    kinds: list[Damage | Oddity | None] = [None] * (objects - broken - odd)
    kinds.extend(islice(cycle(Damage), broken))
    kinds.extend(islice(cycle(Oddity), odd))
    return kinds


def _key(number: int) -> str:
    return f"{2019 + number % 6}/{1 + number % 12:02}/meter {number:06}.jpg"


def _broken(photo: bytes, kind: Damage, number: int) -> ArchiveEntry:
    expected = Expected(frozenset({ItemState.FAILED}), REFUSED_AS[kind])
    return ArchiveEntry(_key(number), damaged(numbered(photo, number), kind), expected)


def _oversized(photo: bytes, size: int) -> ArchiveEntry:
    expected = Expected(frozenset({ItemState.FAILED}), "photo.too_large")
    return ArchiveEntry("2019/01/panorama.jpg", photo + bytes(size - len(photo)), expected)


def _odd(photo: bytes, kind: Oddity, number: int) -> ArchiveEntry:
    key, expected = _key(number), PHOTO
    match kind:
        case Oddity.PNG:
            key, photo = f"scans/{number:06}.png", _png_of(photo)
        case Oddity.HEIC:
            key, photo = f"scans/{number:06}.heic", photos.heic()
        case Oddity.ANIMATED_GIF:
            key, photo = f"scans/{number:06}.gif", _animated_gif()
        case Oddity.ODD_KEY:
            key = ODD_KEYS[number % len(ODD_KEYS)].format(number)
        case Oddity.DEEP_KEY:
            key = f"{FOLDERS}/{number:06}.jpg"
        case _:
            key, expected = f"{key}{CROP_MARK}jpg", CROP
    return ArchiveEntry(key, numbered(photo, number), expected)


def _paired(entry: ArchiveEntry, twin: str) -> ArchiveEntry:
    states = entry.expected.states | {ItemState.SKIPPED}
    return entry._replace(expected=replace(entry.expected, states=states, twin=twin))


def _with_flipped_bits(content: bytes) -> bytes:
    """In the sampling factors of the first colour."""
    frame = next(s for s in jpeg_header(content).segments if s.marker in (0xC0, 0xC1, 0xC2))
    at = content.index(frame.encoded) + 11
    return content[:at] + bytes((content[at] ^ 0x88,)) + content[at + 1 :]


@cache
def _animated_gif() -> bytes:
    return photos.gif(width=320, height=240, frames=3)


@cache
def _png_of(photo: bytes) -> bytes:
    return photos.encoded(Image.open(BytesIO(photo)), "PNG", {})


def _longer_px(path: Path) -> int:
    with Image.open(path) as image:
        return max(image.size)


def _shrunk(path: Path, longer_px: int) -> bytes:
    with Image.open(path) as image:
        image.draft("RGB", (longer_px, longer_px))
        image.thumbnail((longer_px, longer_px))
        return photos.encoded(image, "JPEG", {"quality": 88, "exif": image.info.get("exif")})


def _rendered(seed: int, longer_px: int) -> bytes:
    kind = (MeterKind.WATER, MeterKind.GAS, MeterKind.ELECTRICITY)[seed % 3]
    photo = render(seed, kind=kind, width=longer_px, height=longer_px * 3 // 4).photo
    return photos.encoded(photo, "JPEG", {"quality": 88})
