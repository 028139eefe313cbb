from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from service.core.encoding import Encoding
from service.core.geometry import Box
from service.core.photo import Limits, Photo, PhotoFormat
from service.imaging.decode import decoded
from service.imaging.encode import EncodedCrop, encoded_crop
from service.imaging.exif import captured_at
from service.imaging.probe import photo_of
from service.imaging.raw_frame import RawFrame
from service.imaging.upright import turned_upright
from tests import photos

REGION = Box(150, 90, 260, 140)
BOX = Box(123, 62, 287, 168)
GREY_PROFILE = photos.icc_profile()[:16] + b"GRAY" + photos.icc_profile()[20:]


def probed(content: bytes) -> Photo:
    return photo_of(content, Limits())


def crop_of(
    content: bytes, encoding: Encoding = Encoding.AUTO, *, keep_gps: bool = False
) -> EncodedCrop:
    photo = probed(content)
    return encoded_crop(
        RawFrame(photo), box=BOX, region=REGION, encoding=encoding, keep_gps=keep_gps
    )


def shown(content: bytes) -> Image.Image:
    """As a viewer shows it."""
    image = Image.open(BytesIO(content))
    image.load()
    return ImageOps.exif_transpose(image)


def part(image: Image.Image, box: Box) -> Image.Image:
    return image.crop((box.left, box.top, box.right, box.bottom))


def assert_shows_the_region_exactly(crop: EncodedCrop, original: Image.Image) -> None:
    stored = shown(crop.content)
    assert stored.size == (crop.box.width, crop.box.height)
    inside = Box(
        REGION.left - crop.box.left,
        REGION.top - crop.box.top,
        REGION.right - crop.box.left,
        REGION.bottom - crop.box.top,
    )
    mode = "RGBA" if original.mode in ("P", "LA", "L", "1") else original.mode
    expected = part(original, REGION).convert(mode)
    assert np.array_equal(np.asarray(part(stored, inside).convert(mode)), np.asarray(expected))


@pytest.mark.parametrize("orientation", range(9))
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_jpeg_crop_shows_upright_what_the_upright_photo_shows(
    orientation: int, subsampling: str
) -> None:
    content = photos.jpeg(width=411, height=397, orientation=orientation, subsampling=subsampling)
    crop = crop_of(content)
    assert (crop.format, crop.exact) == (PhotoFormat.JPEG, True)
    assert crop.box.contains(BOX)
    assert_shows_the_region_exactly(crop, shown(content))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_without_shared_colour_the_whole_crop_is_exact(orientation: int) -> None:
    content = photos.jpeg(width=411, height=397, orientation=orientation, subsampling="4:4:4")
    crop = crop_of(content)
    assert np.array_equal(
        np.asarray(shown(crop.content)), np.asarray(part(shown(content), crop.box))
    )


@pytest.mark.parametrize(
    "content",
    [
        photos.jpeg(mode="L", orientation=6),
        photos.jpeg(mode="CMYK", orientation=6),
        photos.jpeg(progressive=True, orientation=3),
        photos.jpeg(rgb_coded=True, orientation=8),
    ],
    ids=["grey", "cmyk", "progressive", "rgb-coded"],
)
def test_rare_jpeg_crop_is_exact(content: bytes) -> None:
    crop = crop_of(content)
    assert (crop.format, crop.exact) == (PhotoFormat.JPEG, True)
    assert_shows_the_region_exactly(crop, shown(content))


@pytest.mark.parametrize(
    "content",
    [
        photos.png(exif_block=photos.exif(orientation=6)),
        photos.png(mode="RGBA"),
        photos.png(mode="L"),
        photos.png(mode="LA"),
        photos.png(mode="P"),
        photos.png(mode="1"),
        photos.webp(exif_block=photos.exif(orientation=8)),
        photos.webp(mode="RGBA", lossless=True),
        photos.tiff(exif_block=photos.exif(orientation=5)),
        photos.bmp(),
        photos.gif(frames=2),
        photos.avif(exif_block=photos.exif(orientation=7)),
    ],
    ids=[
        "png",
        "rgba",
        "grey",
        "grey-alpha",
        "palette",
        "one-bit",
        "webp",
        "webp-alpha",
        "tiff",
        "bmp",
        "gif",
        "avif",
    ],
)
def test_other_formats_are_stored_upright_and_exact(content: bytes) -> None:
    crop = crop_of(content)
    assert crop.exact
    assert crop.box == BOX
    assert crop.format in (PhotoFormat.WEBP, PhotoFormat.PNG)
    assert Image.open(BytesIO(crop.content)).getexif().get(0x0112, 1) == 1
    photo = probed(content)
    assert_shows_the_region_exactly(crop, turned_upright(decoded(photo), photo.orientation))


def test_heic_crop_is_exact_and_not_turned_again() -> None:
    photo = probed(photos.heic())
    raw = decoded(photo)
    box = Box(20, 2, 46, 30)
    crop = encoded_crop(
        RawFrame(photo), box=box, region=box, encoding=Encoding.AUTO, keep_gps=False
    )
    assert crop.exact
    assert np.array_equal(np.asarray(shown(crop.content)), np.asarray(part(raw, box)))


def test_sixteen_bits_of_grey_are_kept() -> None:
    crop = crop_of(photos.deep_png())
    assert (crop.format, crop.exact) == (PhotoFormat.PNG, True)
    expected = np.asarray(part(photos.deep_picture(), BOX))
    assert np.array_equal(np.asarray(Image.open(BytesIO(crop.content))), expected)


def test_transparent_palette_is_exact() -> None:
    picture = photos.picture().quantize(32)
    content = photos.encoded(picture, "PNG", {"transparency": 3})
    crop = crop_of(content)
    assert crop.exact
    assert_shows_the_region_exactly(crop, Image.open(BytesIO(content)))


def test_narrowed_colour_is_not_called_exact() -> None:
    photo = probed(photos.deep_colour_png(width=300, height=200))
    crop = encoded_crop(
        RawFrame(photo), box=BOX, region=REGION, encoding=Encoding.AUTO, keep_gps=False
    )
    assert not crop.exact


def test_cmyk_that_is_not_jpeg_is_not_called_exact() -> None:
    assert not crop_of(photos.tiff(mode="CMYK")).exact


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        (Encoding.JPEG, PhotoFormat.JPEG),
        (Encoding.WEBP, PhotoFormat.WEBP),
        (Encoding.AVIF, PhotoFormat.AVIF),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_re_encoded_crops_look_the_same_and_are_never_called_exact(
    encoding: Encoding, expected: PhotoFormat, mode: str
) -> None:
    content = photos.jpeg(orientation=6, mode=mode)
    crop = crop_of(content, encoding)
    assert (crop.format, crop.exact, crop.box) == (expected, False, BOX)
    seen = np.asarray(shown(crop.content).convert("RGB")).astype(int)
    meant = np.asarray(part(shown(content), BOX).convert("RGB")).astype(int)
    assert np.abs(seen - meant).mean() < 4.0


def test_jpeg_lossless_cuts_coefficients_and_stores_pixels_of_what_has_none() -> None:
    assert crop_of(photos.jpeg(), Encoding.JPEG_LOSSLESS).format is PhotoFormat.JPEG
    assert crop_of(photos.bmp(), Encoding.JPEG_LOSSLESS).exact


def test_jpeg_that_cannot_be_cut_is_stored_as_pixels() -> None:
    content = photos.jpeg(width=411, height=397, orientation=6, progressive=True)
    tables, last_scan = content.index(b"\xff\xdb"), content.rindex(b"\xff\xda")
    length = int.from_bytes(content[tables + 2 : tables + 4], "big") + 2
    again = content[tables : tables + length]
    crop = crop_of(content[:last_scan] + again + content[last_scan:])
    assert (crop.format, crop.exact, crop.box) == (PhotoFormat.WEBP, True, BOX)
    assert_shows_the_region_exactly(crop, shown(content))


@pytest.mark.parametrize("make", [photos.jpeg, photos.png, photos.webp, photos.avif])
@pytest.mark.parametrize("encoding", [Encoding.AUTO, Encoding.JPEG, Encoding.WEBP, Encoding.AVIF])
def test_time_and_profile_are_kept_and_nothing_else(
    make: Callable[..., bytes], encoding: Encoding
) -> None:
    block = photos.exif(orientation=6, gps=photos.Gps(), maker="ACME CAMERAS")
    crop = crop_of(make(exif_block=block, icc=photos.icc_profile()), encoding)
    stored = probed(crop.content)
    assert stored.captured_at == datetime(2026, 3, 1, 9, 35, 21, tzinfo=UTC)
    image = Image.open(BytesIO(crop.content))
    assert image.info["icc_profile"] == photos.icc_profile()
    assert not image.getexif().get_ifd(photos.GPS_LINK)
    assert b"ACME" not in crop.content


def test_place_is_kept_where_it_is_asked_for() -> None:
    content = photos.jpeg(exif_block=photos.exif(orientation=3, gps=photos.Gps()))
    crop = crop_of(content, keep_gps=True)
    place = Image.open(BytesIO(crop.content)).getexif().get_ifd(photos.GPS_LINK)
    assert tuple(map(float, place[2])) == photos.Gps().latitude


def test_comments_and_thumbnails_are_left_behind() -> None:
    content = photos.jpeg()
    comment = b"\xff\xfe\x00\x12read by someone!"
    crop = crop_of(content[:2] + comment + content[2:])
    assert b"someone" not in crop.content


def test_photo_without_time_or_turn_gets_no_exif() -> None:
    assert b"Exif" not in crop_of(photos.jpeg()).content


def test_profile_of_grey_stays_with_grey() -> None:
    crop = crop_of(photos.png(mode="L", icc=GREY_PROFILE))
    assert crop.format is PhotoFormat.PNG
    assert Image.open(BytesIO(crop.content)).info["icc_profile"] == GREY_PROFILE


def test_profile_of_other_samples_is_dropped() -> None:
    crop = crop_of(photos.jpeg(mode="L", icc=GREY_PROFILE), Encoding.WEBP)
    assert "icc_profile" not in Image.open(BytesIO(crop.content)).info


def test_large_profile_is_split_and_kept() -> None:
    profile = photos.icc_profile() + bytes(150_000)
    crop = crop_of(photos.jpeg(icc=profile))
    assert decoded(probed(crop.content)).info["icc_profile"] == profile


def test_capture_time_of_a_heic_is_kept() -> None:
    photo = probed(photos.heic())
    box = Box(0, 0, 40, 40)
    crop = encoded_crop(
        RawFrame(photo), box=box, region=box, encoding=Encoding.AUTO, keep_gps=False
    )
    assert captured_at(probed(crop.content).exif) == photo.captured_at


def test_box_beyond_the_photo_ends_with_it() -> None:
    photo = probed(photos.png(width=300, height=200))
    crop = encoded_crop(
        RawFrame(photo),
        box=Box(250, 150, 400, 300),
        region=Box(260, 160, 300, 200),
        encoding=Encoding.AUTO,
        keep_gps=False,
    )
    assert crop.box == Box(250, 150, 300, 200)
    assert crop.exact


def test_eight_threads_encode_the_same() -> None:
    work = [
        photos.jpeg(orientation=6),
        photos.jpeg(progressive=True),
        photos.png(),
        photos.webp(),
        photos.avif(),
    ] * 4
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(crop_of, work))
    assert together == [crop_of(content) for content in work]
