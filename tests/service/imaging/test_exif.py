from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from service.core.orientation import Orientation
from service.core.photo import Limits
from service.imaging.exif import captured_at, carried_exif, orientation_tag, without_prefix
from service.imaging.probe import photo_of
from tests import photos


def tiff_of(block: bytes) -> bytes:
    return block.removeprefix(b"Exif\0\0")


def read_by_pillow(tiff: bytes | None) -> Image.Exif:
    block = Image.Exif()
    block.load(b"Exif\0\0" + (tiff or b""))
    return block


@pytest.mark.parametrize(
    ("captured", "offset", "date_time", "expected"),
    [
        ("2026:03:01 10:35:21", "+01:00", None, datetime(2026, 3, 1, 9, 35, 21, tzinfo=UTC)),
        ("2026:03:01 10:35:21", "-05:30", None, datetime(2026, 3, 1, 16, 5, 21, tzinfo=UTC)),
        ("2026:03:01 10:35:21", None, None, datetime(2026, 3, 1, 10, 35, 21, tzinfo=UTC)),
        ("2026:03:01 10:35:21", "  :  ", None, datetime(2026, 3, 1, 10, 35, 21, tzinfo=UTC)),
        (None, None, "2025:12:31 23:59:59", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (
            "    :  :     :  :  ",
            None,
            "2025:12:31 23:59:59",
            datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
        ),
        ("0000:00:00 00:00:00", None, None, None),
        ("2026:02:31 10:00:00", None, None, None),
        ("0001:01:01 00:00:00", "+14:00", None, None),
        ("yesterday", None, None, None),
        ("2026:03:01 10:35:21", "+99:00", None, None),
        (None, None, None, None),
    ],
)
def test_capture_time_is_utc_or_not_known(
    captured: str | None, offset: str | None, date_time: str | None, expected: datetime | None
) -> None:
    block = photos.exif(captured=captured, offset=offset, date_time=date_time)
    assert captured_at(tiff_of(block)) == expected


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        b"MM\0*\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40,
        b"no tiff at all",
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x01\0\x06\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0",
    ],
)
def test_malformed_exif_never_rejects_a_photo(block: bytes) -> None:
    photo = photo_of(photos.jpeg(exif_block=b"Exif\0\0" + block), Limits())
    assert photo.orientation is Orientation.UPRIGHT
    assert photo.captured_at is None
    assert photo.exif == (block or None)


def test_malformed_exif_never_rejects_a_heic() -> None:
    sound = photos.heic()
    broken = sound.replace(b"MM\0*\0\0\0\x08", b"\xff" * 8)
    assert broken != sound
    photo = photo_of(broken, Limits())
    assert (photo.size, photo.captured_at) == ((48, 64), None)


def test_damaged_links_to_metadata_never_reject_a_heic() -> None:
    sound = photos.heic()
    links = sound.index(b"cdsc")
    broken = sound[: links + 4] + b"\xff\xff" + sound[links + 6 :]
    assert photo_of(broken, Limits()).size == (48, 64)


def test_exif_beyond_all_measure_is_not_taken_for_exif() -> None:
    endless = photos.png(exif_block=b"II*\0" + bytes(2_000_000))
    assert photo_of(endless, Limits()).exif is None


def test_malformed_exif_never_rejects_an_avif() -> None:
    sound = photos.avif(exif_block=photos.exif(orientation=1))
    broken = sound.replace(tiff_of(photos.exif(orientation=1))[:4], b"\x01\x02\x03\x04")
    assert broken != sound
    assert photo_of(broken, Limits()).size == (640, 480)


@given(st.binary(max_size=200), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
def test_any_bytes_read_as_exif_without_an_error(noise: bytes, start: bytes) -> None:
    tiff = start + noise
    assert orientation_tag(tiff) in range(65_536)
    captured_at(tiff)
    carried_exif(tiff, Orientation.FLIPPED, keep_gps=True)


def test_a_crop_carries_orientation_time_and_profile_but_no_place() -> None:
    block = tiff_of(photos.exif(orientation=6, gps=photos.Gps(), maker="ACME"))
    carried = read_by_pillow(carried_exif(block, Orientation(6), keep_gps=False))
    assert dict(carried) == {0x0112: 6, photos.EXIF_LINK: carried[photos.EXIF_LINK]}
    detail = carried.get_ifd(photos.EXIF_LINK)
    assert detail == {0x9003: photos.CAPTURED, 0x9011: photos.OFFSET}


def test_a_crop_carries_the_place_where_it_is_asked_to() -> None:
    block = tiff_of(photos.exif(orientation=6, gps=photos.Gps()))
    carried = read_by_pillow(carried_exif(block, Orientation(6), keep_gps=True))
    place = carried.get_ifd(photos.GPS_LINK)
    assert place[1] == "N"
    assert tuple(map(float, place[4])) == photos.Gps().longitude


def test_without_the_moment_of_capture_the_files_own_time_is_carried() -> None:
    block = tiff_of(photos.exif(captured=None, offset=None, date_time="2025:12:31 23:59:59"))
    carried = carried_exif(block, Orientation.UPRIGHT, keep_gps=False)
    assert captured_at(carried) == captured_at(block)
    assert captured_at(carried) == datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_where_there_is_nothing_to_carry_there_is_no_exif() -> None:
    assert carried_exif(None, Orientation.UPRIGHT, keep_gps=True) is None
    only_maker = tiff_of(photos.exif(captured=None, offset=None, maker="ACME"))
    assert carried_exif(only_maker, Orientation.UPRIGHT, keep_gps=True) is None


def test_orientation_is_carried_even_where_the_source_has_no_exif() -> None:
    carried = carried_exif(None, Orientation.TURNED_180, keep_gps=False)
    assert orientation_tag(carried) == 3


def test_the_prefix_of_a_block_is_taken_off() -> None:
    assert without_prefix(b"Exif\0\0II*\0") == b"II*\0"
    assert without_prefix(b"Exif\0\0") is None
    assert without_prefix(None) is None
