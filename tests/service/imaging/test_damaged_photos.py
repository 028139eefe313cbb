from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.errors import PhotoRejected
from service.core.photo import Limits
from service.imaging.decode import decoded
from service.imaging.probe import photo_of
from tests import photos

LIMITS = Limits(max_pixels=4_000_000)


def code_of(content: bytes) -> str:
    with pytest.raises(PhotoRejected) as refusal:
        decoded(photo_of(content, LIMITS))
    return refusal.value.code


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_truncated_jpeg_is_refused(*, share: float, progressive: bool, mode: str) -> None:
    whole = photos.jpeg(mode=mode, progressive=progressive, orientation=6)
    assert code_of(photos.cut_short(whole, share)) == "photo.truncated"


@pytest.mark.parametrize("length", range(4, 620, 40))
def test_jpeg_that_ends_in_its_header_is_truncated(length: int) -> None:
    assert code_of(photos.jpeg()[:length]) == "photo.truncated"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("make", [photos.png, photos.webp, photos.bmp, photos.gif, photos.avif])
def test_truncated_photo_is_refused(share: float, make: Callable[[], bytes]) -> None:
    assert code_of(photos.cut_short(make(), share)) == "photo.truncated"


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_tiff_is_refused(share: float) -> None:
    codes = {
        code_of(photos.cut_short(photos.tiff(compression=kind), share))
        for kind in (None, "tiff_lzw")
    }
    assert codes <= {"photo.truncated", "photo.corrupt"}


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_truncated_heic_is_refused(share: float) -> None:
    assert code_of(photos.cut_short(photos.heic(), share)) in ("photo.truncated", "photo.corrupt")


@pytest.mark.parametrize("at", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("progressive", [False, True])
def test_hole_in_a_jpegs_picture_data_is_refused(*, at: float, progressive: bool) -> None:
    damaged = photos.overwritten(photos.jpeg(progressive=progressive), at, bytes(3000))
    assert code_of(damaged) == "photo.corrupt"


def test_missing_restart_interval_is_refused() -> None:
    content = photos.jpeg(restart_rows=1)
    first, second = content.index(b"\xff\xd1"), content.index(b"\xff\xd2")
    assert code_of(content[:first] + content[second:]) == "photo.corrupt"


def test_jpeg_without_its_quantization_is_refused() -> None:
    content = photos.jpeg()
    tables = content.index(b"\xff\xdb")
    assert code_of(content[:tables] + b"\xff\xef" + content[tables + 2 :]) == "photo.corrupt"


def test_jpeg_with_two_frame_headers_is_refused() -> None:
    content = photos.jpeg()
    frame = content.index(b"\xff\xc0")
    doubled = content[:frame] + content[frame : frame + 19] + content[frame:]
    assert code_of(doubled) == "photo.corrupt"


def test_jpeg_of_endless_scans_is_refused() -> None:
    content = photos.jpeg(width=16, height=16, progressive=True)
    last_scan = content.rindex(b"\xff\xda")
    endless = content[:-2] + content[last_scan:-2] * 200 + content[-2:]
    assert code_of(endless) == "photo.corrupt"


def test_jpeg_of_endless_segments_is_refused() -> None:
    content = photos.jpeg(width=16, height=16)
    assert code_of(content[:2] + b"\xff\xe5\0\x02" * 20_000 + content[2:]) == "photo.corrupt"


def test_one_changed_byte_of_a_png_is_found_by_its_check_sum() -> None:
    content = photos.png()
    at = len(content) // 2
    changed = content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :]
    assert code_of(changed) == "photo.corrupt"


def test_png_whose_pixels_are_missing_is_refused() -> None:
    assert code_of(photos.gigapixel_png()[:33] + photos.png()[-12:]) != "photo.unsupported"


def size_of_decoded(content: bytes) -> tuple[int, int] | None:
    """None where it is refused."""
    try:
        return decoded(photo_of(content, LIMITS)).size
    except PhotoRejected:
        return None


@settings(max_examples=60, deadline=None)
@given(
    maker=st.sampled_from(
        [photos.png, photos.webp, photos.bmp, photos.gif, photos.tiff, photos.avif, photos.jpeg]
    ),
    at=st.floats(0.0, 0.99),
    noise=st.binary(min_size=1, max_size=40),
)
def test_damage_anywhere_ends_in_pixels_or_in_a_refusal(
    maker: Callable[..., bytes], at: float, noise: bytes
) -> None:
    damaged = photos.overwritten(maker(width=80, height=60), at, noise)
    size = size_of_decoded(damaged)
    assert size is None or size == photo_of(damaged, LIMITS).size
