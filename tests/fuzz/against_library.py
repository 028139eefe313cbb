"""Mutated JPEGs, read natively and by libjpeg: `make fuzz`, whose words are SECONDS and FOLDER.

Whatever the native code accepts, the library must accept too, with the same coefficients and the
same cuts; what it refuses is the library's anyway. Ends with an error at the first that differs,
which it leaves in FOLDER.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from service.core.errors import PhotoRejected
from service.core.geometry import Box
from service.imaging.jpeg_lossless import cut_of_coefficients, cut_of_scan
from service.imaging.jpeg_native import JpegScan, is_available, scanned
from service.imaging.jpeg_pixels import jpeg_pixels
from service.imaging.jpeg_thumbnail import Detail
from tests import photos
from tests.jpeg_planes import has_coefficients_of, looks_as_by_library, reads_as_libjpeg

CORPUS = Path(__file__).with_name("corpus")
TELLING = bytes(
    (0x00, 0x01, 0x11, 0x22, 0x3F, 0x7F, 0x80, 0xC0, 0xC2, 0xC4, 0xD0, 0xD9, 0xDA, 0xFF)
)
MOST_PIXELS = 200_000


class Disagreement(Exception):
    """The two ways of reading a JPEG differ."""


@dataclass(slots=True)
class Tally:
    files: int = 0
    accepted: int = 0


def seeds() -> list[bytes]:
    """The small corpus, and a few that are large enough for several lanes."""
    small = [path.read_bytes() for path in sorted(CORPUS.glob("*.jpg"))]
    large = [
        photos.jpeg(width=320, height=240, quality=95),
        photos.jpeg(width=320, height=240, quality=95, restart_rows=1),
        photos.jpeg(width=240, height=180, quality=97, subsampling="4:4:4"),
        photos.jpeg(width=300, height=300, quality=92, mode="L"),
        photos.jpeg(width=240, height=180, quality=95, progressive=True),
        photos.jpeg(width=240, height=180, quality=95, progressive=True, restart_rows=1),
    ]
    return small + large


def mutated(seeds: list[bytes], chance: random.Random) -> bytes:
    content = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(content)) if content else 0
        length = 1 + chance.randrange(1 << chance.randrange(7))
        match chance.randrange(7):
            case 0 | 1 if content:
                content[at] ^= 1 << chance.randrange(8)
            case 2 if content:
                content[at] = chance.choice(TELLING)
            case 3:
                del content[at : at + length]
            case 4:
                content[at:at] = content[at : at + length]
            case 5:
                other = chance.choice(seeds)
                content[at : at + length] = other[at : at + length]
            case _:
                content[at:at] = bytes((0xFF, chance.choice(TELLING)))
    return bytes(content)


def require_agreement(content: bytes, chance: random.Random) -> bool:
    """Whether the native code accepted it. Raises `Disagreement`."""
    scan = scanned(content, Detail.QUARTER)
    if scan is None or scan.width * scan.height > MOST_PIXELS:
        return False
    try:
        pixels = jpeg_pixels(content)
    except PhotoRejected as refusal:
        raise Disagreement(f"the library refuses what was accepted: {refusal}") from refusal
    if pixels.size != (scan.width, scan.height):
        raise Disagreement(f"{pixels.size} is not {(scan.width, scan.height)}")
    if not (reads_as_libjpeg(scan) and has_coefficients_of(scan, content)):
        raise Disagreement("the coefficients differ")
    if not looks_as_by_library(scan, content):
        raise Disagreement("the thumbnails differ")
    box = box_in(scan, chance)
    cut, expected = cut_of_scan(scan, box), cut_of_coefficients(content, box)
    if cut is not None and (expected is None or expected.content != cut.content):
        raise Disagreement(f"the cuts at {box} differ")
    return True


def box_in(scan: JpegScan, chance: random.Random) -> Box:
    left, top = chance.randrange(scan.width), chance.randrange(scan.height)
    return Box(
        left, top, chance.randint(left + 1, scan.width), chance.randint(top + 1, scan.height)
    )


def fuzz(seconds: float, failures: Path, *, seed: int) -> Tally:
    """Writes the file on which the two disagree into `failures`, and raises `Disagreement`."""
    known, chance, tally = seeds(), random.Random(seed), Tally()
    end = monotonic() + seconds
    while monotonic() < end:
        content = mutated(known, chance)
        try:
            tally.accepted += require_agreement(content, chance)
        except Disagreement:
            failures.mkdir(parents=True, exist_ok=True)
            (failures / "disagreement.jpg").write_bytes(content)
            raise
        tally.files += 1
    return tally


def main() -> None:
    if not is_available():
        sys.exit("the native JPEG code is not installed; is there a Rust compiler?")
    found = fuzz(float(sys.argv[1]), Path(sys.argv[2]), seed=random.randrange(1 << 30))
    sys.stdout.write(f"{found.files} files, {found.accepted} of them accepted by both\n")


if __name__ == "__main__":
    main()
