from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from service.core.errors import PhotoRejected
from service.core.orientation import Orientation
from service.core.photo import Limits, PhotoFormat
from service.imaging.probe import photo_of
from tests import photos

LIMITS = Limits()
MAKERS: dict[PhotoFormat, Callable[[], bytes]] = {
    PhotoFormat.JPEG: photos.jpeg,
    PhotoFormat.PNG: photos.png,
    PhotoFormat.WEBP: photos.webp,
    PhotoFormat.TIFF: photos.tiff,
    PhotoFormat.BMP: photos.bmp,
    PhotoFormat.GIF: photos.gif,
    PhotoFormat.AVIF: photos.avif,
}


def code_of(content: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(PhotoRejected) as refusal:
        photo_of(content, limits)
    return refusal.value.code


@pytest.mark.parametrize("photo_format", MAKERS)
def test_format_and_size_are_read_from_the_content(photo_format: PhotoFormat) -> None:
    content = MAKERS[photo_format]()
    photo = photo_of(content, LIMITS)
    assert photo.format is photo_format
    assert photo.size == (640, 480)
    assert photo.sha256 == hashlib.sha256(content).hexdigest()
    assert photo.orientation is Orientation.UPRIGHT
    assert photo.exif_orientation == 1


def test_heic_is_not_turned_twice() -> None:
    photo = photo_of(photos.heic(), LIMITS)
    assert photo.format is PhotoFormat.HEIC
    assert (photo.raw_width, photo.raw_height) == (48, 64)
    assert photo.orientation is Orientation.UPRIGHT
    assert photo.exif_orientation == 6
    assert photo.captured_at == datetime(2026, 3, 1, 9, 35, 21, tzinfo=UTC)


@pytest.mark.parametrize("written", range(9))
def test_orientation_is_kept_as_written_and_as_meant(written: int) -> None:
    photo = photo_of(photos.jpeg(orientation=written), LIMITS)
    assert photo.exif_orientation == written
    assert photo.orientation == max(written, 1)
    assert photo.size == ((480, 640) if written >= 5 else (640, 480))


@pytest.mark.parametrize("make", [photos.png, photos.webp, photos.avif])
def test_orientation_and_time_are_read_from_every_format_that_has_them(
    make: Callable[..., bytes],
) -> None:
    photo = photo_of(make(exif_block=photos.exif(orientation=6)), LIMITS)
    assert photo.orientation is Orientation.TURNED_90_CLOCKWISE
    assert photo.captured_at == datetime(2026, 3, 1, 9, 35, 21, tzinfo=UTC)


def test_tiff_is_turned_by_its_decoder() -> None:
    photo = photo_of(photos.tiff(exif_block=photos.exif(orientation=8)), LIMITS)
    assert (photo.raw_width, photo.raw_height) == (480, 640)
    assert photo.orientation is Orientation.UPRIGHT
    assert photo.exif_orientation == 8
    assert photo.exif is not None
    assert len(photo.exif) < 1000


def test_nothing_is_refused_as_empty() -> None:
    assert code_of(b"") == "photo.empty"


def test_more_bytes_than_allowed_are_refused_whatever_they_are() -> None:
    assert code_of(bytes(11), Limits(max_bytes=10)) == "photo.too_large"


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7 ...",
        b"GIF80a" + bytes(50),
        b"BM not a bitmap but a letter",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"8BPS\0\x01",
        b"\xff\xd8",
        b"\0",
    ],
)
def test_what_is_no_photo_is_unsupported(content: bytes) -> None:
    assert code_of(content) == "photo.unsupported"


def test_jpeg_of_twelve_bits_is_unsupported() -> None:
    content = photos.jpeg()
    frame = content.index(b"\xff\xc0")
    deep = content[: frame + 4] + b"\x0c" + content[frame + 5 :]
    assert code_of(deep) == "photo.unsupported"


def test_a_gigapixel_is_refused_from_its_header_alone() -> None:
    content = photos.gigapixel_png()
    tracemalloc.start()
    assert code_of(content) == "photo.too_many_pixels"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("photo_format", MAKERS)
def test_the_limit_of_pixels_is_ours_alone(photo_format: PhotoFormat) -> None:
    content = MAKERS[photo_format]()
    assert photo_of(content, Limits(max_pixels=640 * 480)).size == (640, 480)
    assert code_of(content, Limits(max_pixels=640 * 480 - 1)) == "photo.too_many_pixels"


def test_a_photo_over_the_librarys_own_limit_passes_where_ours_allows_it() -> None:
    photo = photo_of(photos.gigapixel_png(), Limits(max_pixels=2_000_000_000))
    assert photo.size == (40_000, 25_000)


@pytest.mark.parametrize("photo_format", MAKERS)
def test_a_header_that_is_cut_off_is_refused(photo_format: PhotoFormat) -> None:
    codes = {code_of(MAKERS[photo_format]()[:length]) for length in (16, 20, 24)}
    assert codes <= {"photo.truncated", "photo.corrupt"}


def test_webp_size_is_read_from_each_kind_of_header() -> None:
    lossy, lossless = (
        photos.webp(width=33, height=21),
        photos.webp(width=33, height=21, lossless=True),
    )
    extended = photos.webp(width=33, height=21, exif_block=photos.exif())
    for content in (lossy, lossless, extended):
        assert photo_of(content, LIMITS).size == (33, 21)
