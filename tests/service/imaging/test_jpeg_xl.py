"""JPEGs packed as JPEG XL come back byte for byte, or are refused."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from service.core.encoding import Encoding
from service.core.errors import Unavailable
from service.core.geometry import Box
from service.core.photo import Limits, PhotoFormat
from service.imaging.encode import encoded_crop
from service.imaging.jpeg_xl import is_available, packed, unpacked
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame
from tests import photos
from tests.packing import without_codec

SAMPLINGS = ["4:4:4", "4:2:2", "4:2:0"]


def crop_of(photo: bytes, box: Box, *, keep_gps: bool = False) -> bytes:
    """As the service stores it."""
    frame = RawFrame(photo_of(photo, Limits()))
    crop = encoded_crop(
        frame, box=box, region=box, encoding=Encoding.JPEG_LOSSLESS, keep_gps=keep_gps
    )
    assert crop.format is PhotoFormat.JPEG
    return crop.content


@given(
    seed=st.integers(0, 3),
    quality=st.integers(1, 100),
    sampling=st.sampled_from(SAMPLINGS),
    mode=st.sampled_from(["RGB", "L"]),
    restart_rows=st.integers(0, 2),
    progressive=st.booleans(),
    corners=st.tuples(*[st.integers(0, 90)] * 2, *[st.integers(1, 90)] * 2),
)
@settings(max_examples=100)
def test_any_crop_comes_back_byte_for_byte(
    *,
    seed: int,
    quality: int,
    sampling: str,
    mode: str,
    restart_rows: int,
    progressive: bool,
    corners: tuple[int, int, int, int],
) -> None:
    photo = photos.encoded(
        photos.picture(181, 181, seed=seed, mode=mode),
        "JPEG",
        {
            "quality": quality,
            "progressive": progressive,
            "restart_marker_rows": restart_rows,
            **({"subsampling": sampling} if mode == "RGB" else {}),
        },
    )
    left, top, width, height = corners
    crop = crop_of(photo, Box(left, top, left + width, top + height))

    small = packed(crop)

    assert small is not None
    assert unpacked(small) == crop


@pytest.mark.parametrize("sampling", ["411", "440"])
def test_rare_samplings_come_back_or_are_refused(sampling: str) -> None:
    crop = crop_of(photos.jpeg_of_rare_sampling(sampling), Box(32, 32, 320, 240))
    small = packed(crop)
    assert small is None or unpacked(small) == crop


def test_what_a_photo_carries_beside_its_pixels_comes_back_too() -> None:
    photo = photos.jpeg(
        exif_block=photos.exif(orientation=6, gps=photos.Gps()), icc=photos.icc_profile()
    )
    crop = crop_of(photo, photos.region(), keep_gps=True)
    assert b"ICC_PROFILE" in crop
    small = packed(crop)
    assert small is not None
    assert unpacked(small) == crop
    assert len(small) < len(crop)


def test_a_drawn_meter_gets_a_tenth_smaller_at_least() -> None:
    crop = crop_of(photos.jpeg(width=1600, height=1200), photos.region(1600, 1200))
    small = packed(crop)
    assert small is not None
    assert len(small) < 0.9 * len(crop)


def test_packed_crop_is_a_picture_of_its_own() -> None:
    """What lies there can be looked at without this program."""
    import imagecodecs

    crop = crop_of(photos.jpeg(), photos.region())
    pixels = imagecodecs.jpegxl_decode(packed(crop) or b"")
    with Image.open(BytesIO(crop)) as image:
        assert pixels.shape == (image.height, image.width, 3)


@pytest.mark.parametrize(
    "jpeg",
    [b"", b"no picture", photos.jpeg(mode="CMYK"), photos.jpeg()[:-2], photos.jpeg()[:500],
     photos.png()],
    ids=["nothing", "no picture", "four inks", "without its end", "half", "a PNG"],
)  # fmt: skip
def test_what_cannot_be_packed_is_refused(jpeg: bytes) -> None:
    assert packed(jpeg) is None


def test_damaged_bytes_are_never_taken_for_the_jpeg() -> None:
    crop = crop_of(photos.jpeg(), photos.region())
    small = packed(crop) or b""
    damaged = [b"", small[:100], small[:-1], crop]
    damaged += [photos.overwritten(small, at / 20, b"\xff\x00\xff") for at in range(20)]
    assert crop not in [unpacked(each) for each in damaged]


def test_without_the_library_both_ways_say_how_to_have_it() -> None:
    with without_codec():
        assert not is_available()
        for work in (packed, unpacked):
            with pytest.raises(Unavailable, match=r"metercrop\[jxl\]") as refused:
                work(b"")
            assert refused.value.code == "codec.unavailable"
    assert is_available()
