"""The one way of a photo: what comes out of it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from service.adapters.onnx import OnnxSegmenter
from service.core.crop import CropPolicy, Reason
from service.core.encoding import Encoding
from service.core.errors import PhotoRejected
from service.core.geometry import Box
from service.core.photo import Limits, Photo, PhotoFormat
from service.imaging.probe import photo_of
from service.usecases.optimize import Optimizer
from tests.painted import BLUE, COUNTER, painted_photo


@pytest.fixture
def optimizer(segmenter: OnnxSegmenter) -> Optimizer:
    return Optimizer(segmenter, CropPolicy(), Encoding.AUTO, keep_gps=False, context_px=320)


def photo(content: bytes) -> Photo:
    return photo_of(content, Limits())


def test_crop_is_smaller_and_keeps_every_pixel_of_its_region(optimizer: Optimizer) -> None:
    original = photo(painted_photo())

    optimized = optimizer.optimized(original)

    assert optimized.crop is not None
    assert len(optimized.content) < len(original.content)
    assert optimized.exact
    box, region = optimized.crop.box, optimized.crop.region
    assert box.contains(region)
    assert region.contains(COUNTER)
    with (
        Image.open(io.BytesIO(original.content)) as whole,
        Image.open(io.BytesIO(optimized.content)) as cut,
    ):
        assert cut.size == (optimized.width, optimized.height) == (box.width, box.height)
        expected = np.asarray(whole)[region.top : region.bottom, region.left : region.right]
        inside = np.s_[
            region.top - box.top : region.bottom - box.top,
            region.left - box.left : region.right - box.left,
        ]
        assert np.array_equal(np.asarray(cut)[inside], expected)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (painted_photo(regions=[]), Reason.NO_REGION),
        (painted_photo(colour=BLUE), Reason.LOW_CONFIDENCE),
        (painted_photo(regions=[Box(20, 20, 620, 460)]), Reason.NO_GAIN),
    ],
)
def test_original_is_kept_unchanged_where_there_is_a_reason(
    optimizer: Optimizer, content: bytes, reason: Reason
) -> None:
    optimized = optimizer.optimized(photo(content))

    assert optimized.content == content
    assert (optimized.crop, optimized.reason) == (None, reason)
    assert optimized.exact
    assert (optimized.width, optimized.height) == (640, 480)


def test_sideways_photo_is_cropped_in_upright_pixels(optimizer: Optimizer) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise

    optimized = optimizer.optimized(photo(painted_photo(exif=exif)))

    assert optimized.crop is not None
    upright_counter = Box(480 - COUNTER.bottom, COUNTER.left, 480 - COUNTER.top, COUNTER.right)
    assert optimized.crop.region.contains(upright_counter)
    assert optimized.width < optimized.height


@pytest.mark.parametrize("encoding", [Encoding.WEBP, Encoding.JPEG, Encoding.AVIF])
def test_crop_is_encoded_as_it_was_asked_for(segmenter: OnnxSegmenter, encoding: Encoding) -> None:
    optimizer = Optimizer(segmenter, CropPolicy(), encoding, keep_gps=False, context_px=320)

    optimized = optimizer.optimized(photo(painted_photo(media_type="image/png")))

    assert optimized.format is PhotoFormat(f"image/{encoding}")


def test_context_picture_shows_the_whole_upright_photo(optimizer: Optimizer) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    context = optimizer.optimized(photo(painted_photo(exif=exif))).context

    assert context is not None
    with Image.open(io.BytesIO(context.content)) as picture:
        assert picture.size == (context.width, context.height) == (240, 320)
        red, _, blue = np.asarray(picture.convert("RGB"))[160, 130].astype(int)
    assert red > 2 * blue


@pytest.mark.parametrize("px", [1, 64, 2048])
def test_context_picture_is_as_large_as_asked_but_never_enlarged(
    optimizer: Optimizer, px: int
) -> None:
    context = replace(optimizer, context_px=px).optimized(photo(painted_photo())).context

    assert context is not None
    assert max(context.width, context.height) == min(px, 640)


def test_crop_that_saves_too_little_for_a_context_picture_comes_alone(
    optimizer: Optimizer,
) -> None:
    original = photo(painted_photo(regions=[Box(60, 60, 560, 400)]))
    tight = replace(optimizer, policy=CropPolicy(margin=0.0))
    alone = replace(tight, context_px=0).optimized(original)

    optimized = replace(tight, context_px=640).optimized(original)

    assert optimized.crop is not None
    assert (optimized.content, optimized.context) == (alone.content, None)


def test_kept_original_has_no_context_picture(optimizer: Optimizer) -> None:
    optimized = optimizer.optimized(photo(painted_photo(regions=[])))

    assert optimized.context is None
    assert optimized.kept_bytes == len(optimized.content)


def test_picture_that_cannot_be_made_costs_no_photo(optimizer: Optimizer) -> None:
    wider_than_webp_goes = 16_400
    panorama = painted_photo(
        size=(wider_than_webp_goes, 600), regions=[Box(6_000, 100, 10_000, 500)]
    )

    optimized = replace(optimizer, context_px=wider_than_webp_goes).optimized(photo(panorama))

    assert optimized.crop is not None
    assert optimized.context is None


def test_decision_that_is_carried_out_later_is_the_same(optimizer: Optimizer) -> None:
    original = photo(painted_photo())
    judged = optimizer.judged(original)

    later = optimizer.carried_out(original, judged)

    assert later.content == optimizer.optimized(original).content


def test_broken_photo_is_rejected(optimizer: Optimizer) -> None:
    content = painted_photo()
    half = replace(photo(content), content=content[: len(content) // 2])

    with pytest.raises(PhotoRejected) as rejection:
        optimizer.optimized(half)

    assert rejection.value.code.startswith("photo.")


def test_fingerprint_names_photo_model_and_rules(segmenter: OnnxSegmenter) -> None:
    policy = CropPolicy()
    optimizer = Optimizer(segmenter, policy, Encoding.AUTO, keep_gps=False, context_px=320)
    same = Optimizer(segmenter, CropPolicy(), Encoding.AUTO, keep_gps=False, context_px=320)
    others = [
        Optimizer(
            segmenter, replace(policy, margin=0.5), Encoding.AUTO, keep_gps=False, context_px=320
        ),
        Optimizer(segmenter, policy, Encoding.WEBP, keep_gps=False, context_px=320),
        Optimizer(segmenter, policy, Encoding.AUTO, keep_gps=True, context_px=320),
    ]

    assert optimizer.fingerprint("a" * 64) == same.fingerprint("a" * 64)
    fingerprints = {each.fingerprint("a" * 64) for each in (optimizer, *others)}
    assert len(fingerprints | {optimizer.fingerprint("b" * 64)}) == 5


def test_other_context_pictures_make_no_photo_due_again(optimizer: Optimizer) -> None:
    larger = replace(optimizer, context_px=640)

    assert larger.fingerprint("a" * 64) == optimizer.fingerprint("a" * 64)
