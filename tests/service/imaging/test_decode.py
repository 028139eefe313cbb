from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from service.core.photo import Limits
from service.imaging.decode import decoded
from service.imaging.jpeg_file import jpeg_file
from service.imaging.probe import photo_of
from tests import photos


def raw_of(content: bytes) -> Image.Image:
    return decoded(photo_of(content, Limits()))


def by_pillow(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def assert_same_pixels(one: Image.Image, other: Image.Image) -> None:
    assert one.mode == other.mode
    assert np.array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("restart_rows", [0, 1])
def test_jpeg_decodes_to_what_pillow_shows(
    *, subsampling: str, progressive: bool, restart_rows: int
) -> None:
    content = photos.jpeg(
        width=203,
        height=101,
        subsampling=subsampling,
        progressive=progressive,
        restart_rows=restart_rows,
    )
    assert_same_pixels(raw_of(content), by_pillow(content))


@pytest.mark.parametrize(
    "content",
    [
        photos.jpeg(mode="L"),
        photos.jpeg(mode="CMYK"),
        photos.ycck_jpeg(),
        photos.jpeg(rgb_coded=True),
        photos.jpeg_of_rare_sampling("411"),
        photos.jpeg_of_rare_sampling("440"),
        photos.jpeg(width=1, height=1),
    ],
    ids=["grey", "cmyk", "ycck", "rgb-coded", "4:1:1", "4:4:0", "one-pixel"],
)
def test_rare_jpeg_decodes_to_what_pillow_shows(content: bytes) -> None:
    assert_same_pixels(raw_of(content), by_pillow(content))


@pytest.mark.parametrize("make", [photos.png, photos.webp, photos.bmp, photos.gif, photos.avif])
def test_other_formats_decode_to_what_pillow_shows(make: Callable[[], bytes]) -> None:
    content = make()
    assert_same_pixels(raw_of(content), by_pillow(content))


def test_heic_decodes_as_its_container_says_it_stands() -> None:
    raw = raw_of(photos.heic())
    assert raw.size == (48, 64)
    near_white, dark = raw.getpixel((39, 12)), raw.getpixel((5, 5))
    assert isinstance(near_white, tuple)
    assert isinstance(dark, tuple)
    assert min(near_white) > 200
    assert max(dark) < 120


def test_orientation_is_left_to_others() -> None:
    assert raw_of(photos.jpeg(orientation=6)).size == (640, 480)
    assert_same_pixels(raw_of(photos.jpeg(orientation=6)), raw_of(photos.jpeg()))


def test_of_many_frames_the_first_is_decoded() -> None:
    assert_same_pixels(
        raw_of(photos.gif(frames=3)).convert("RGB"), raw_of(photos.gif()).convert("RGB")
    )


def test_sixteen_bits_stay_sixteen_bits() -> None:
    raw = raw_of(photos.deep_png())
    assert np.array_equal(np.asarray(raw), np.asarray(photos.deep_picture()))


def test_palette_stays_a_palette() -> None:
    assert raw_of(photos.png(mode="P")).mode == "P"


def test_missing_standard_tables_are_the_standards_as_in_every_decoder() -> None:
    content = photos.jpeg()
    tables = content.index(b"\xff\xc4")
    without = content[:tables] + b"\xff\xef" + content[tables + 2 :]
    assert_same_pixels(raw_of(without), raw_of(content))


@pytest.mark.parametrize("make", [photos.jpeg, photos.png, photos.webp, photos.tiff, photos.avif])
def test_icc_profile_comes_with_the_pixels(make: Callable[..., bytes]) -> None:
    assert raw_of(make(icc=photos.icc_profile())).info["icc_profile"] == photos.icc_profile()


def test_icc_profile_in_several_parts_is_put_together() -> None:
    profile = photos.icc_profile() + bytes(150_000)
    assert raw_of(photos.jpeg(icc=profile)).info["icc_profile"] == profile


@pytest.mark.parametrize(
    "stray",
    [
        lambda whole: whole + bytes(1000),
        lambda whole: whole + photos.jpeg(width=64, height=48),
        lambda whole: whole[:-2],
        lambda whole: whole[:-2] + b"\0\0" + whole[-2:],
        lambda whole: whole[:-2] + bytes(500) + whole[-2:],
        lambda whole: whole[:-2] + b"\xff\xff\xff" + whole[-2:],
        lambda whole: whole[:20] + b"\0\0\0" + whole[20:],
        lambda whole: whole[:2] + b"\xff\xff" + whole[2:],
    ],
    ids=[
        "padding-behind",
        "second-picture",
        "no-end-marker",
        "two-stray-bytes",
        "padding-before-the-end",
        "fill-bytes",
        "stray-bytes-in-the-header",
        "fill-bytes-in-the-header",
    ],
)
def test_what_cameras_get_wrong_without_harm_is_read(stray: Callable[[bytes], bytes]) -> None:
    whole = photos.jpeg()
    assert_same_pixels(raw_of(stray(whole)), raw_of(whole))


def test_bare_stream_holds_no_metadata() -> None:
    content = photos.jpeg(orientation=6, icc=photos.icc_profile())
    bare = jpeg_file(content).bare
    assert b"Exif" not in bare
    assert b"ICC_PROFILE" not in bare
    assert_same_pixels(by_pillow(bare), by_pillow(content))
