"""Each rule of the policy alone, then what holds for every mask."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.core.crop import Crop, CropPolicy, Kept, Mask, Reason, crop_around, decide
from service.core.geometry import Box, Letterbox

SIDE = 64
SQUARE = Letterbox(width=640, height=640, side=SIDE)
POLICY = CropPolicy()


def mask_with(*boxes: Box, frame: Letterbox = SQUARE, inside: float = 1.0) -> Mask:
    probabilities = np.zeros((frame.side, frame.side), dtype=np.float32)
    for box in boxes:
        probabilities[box.top : box.bottom, box.left : box.right] = inside
    return Mask(probabilities, frame)


def decided(mask: Mask, policy: CropPolicy = POLICY) -> Crop:
    decision = decide(mask, policy)
    assert isinstance(decision, Crop)
    return decision


def reason(mask: Mask, policy: CropPolicy = POLICY) -> Reason:
    decision = decide(mask, policy)
    assert isinstance(decision, Kept)
    return decision.reason


def test_clear_region_is_cropped_with_its_margin() -> None:
    crop = decided(mask_with(Box(20, 30, 40, 38)), replace(POLICY, margin=0.25))
    assert crop.region == Box(200, 300, 400, 380)
    assert crop.box == Box(150, 250, 450, 430)
    assert crop.confidence == 1.0


def test_empty_mask_keeps_the_original_with_confidence_zero() -> None:
    assert decide(mask_with(), POLICY) == Kept(Reason.NO_REGION, 0.0)


def test_region_under_the_threshold_is_none() -> None:
    assert reason(mask_with(Box(20, 30, 40, 38), inside=0.49)) is Reason.NO_REGION


def test_speck_is_no_region() -> None:
    speck = Box(20, 30, 31, 31)
    assert speck.area == 11
    assert reason(mask_with(speck), replace(POLICY, min_region_px=12)) is Reason.NO_REGION


def test_speck_beside_a_region_changes_nothing_but_the_confidence() -> None:
    region, speck = Box(20, 30, 40, 38), Box(2, 60, 4, 62)
    alone, beside = decided(mask_with(region)), decided(mask_with(region, speck))
    assert beside.box == alone.box
    assert beside.confidence < alone.confidence


def test_second_region_far_away_keeps_the_original() -> None:
    assert reason(mask_with(Box(5, 5, 25, 13), Box(5, 50, 25, 58))) is Reason.SEVERAL_REGIONS


def test_light_second_region_is_no_rival() -> None:
    main, second = Box(5, 5, 25, 13), Box(40, 50, 48, 54)
    policy = replace(POLICY, rival_share=0.25, min_confidence=0.5)
    assert second.area < 0.25 * main.area
    assert decided(mask_with(main, second), policy).region == Box(50, 50, 250, 130)


def test_rival_is_weighed_by_its_share_of_the_main_region() -> None:
    main, second = Box(5, 5, 25, 13), Box(40, 50, 48, 55)
    policy = replace(POLICY, rival_share=second.area / main.area)
    assert reason(mask_with(main, second), policy) is Reason.SEVERAL_REGIONS


def test_piece_that_glare_cuts_off_a_counter_belongs_to_it() -> None:
    crop = decided(mask_with(Box(15, 30, 35, 38), Box(38, 30, 44, 38)))
    assert crop.region == Box(150, 300, 440, 380)


def test_pieces_further_apart_than_the_join_distance_are_rivals() -> None:
    pieces = Box(10, 30, 20, 38), Box(26, 30, 36, 38)  # ten wide, six apart
    assert reason(mask_with(*pieces), replace(POLICY, join_distance=0.5)) is Reason.SEVERAL_REGIONS
    joined = decided(mask_with(*pieces), replace(POLICY, join_distance=0.7))
    assert joined.region == Box(100, 300, 360, 380)


@pytest.mark.parametrize(
    "region",
    [Box(0, 30, 20, 38), Box(20, 0, 40, 8), Box(44, 30, SIDE, 38), Box(20, 56, 40, SIDE)],
    ids=["left", "top", "right", "bottom"],
)
def test_region_at_a_border_may_go_on_outside_and_keeps_the_original(region: Box) -> None:
    assert reason(mask_with(region)) is Reason.REGION_AT_BORDER


def test_region_at_the_photos_border_inside_the_padding_counts_as_at_the_border() -> None:
    wide = Letterbox(width=640, height=320, side=SIDE)
    assert wide.inner.top == 16
    assert reason(mask_with(Box(20, 16, 40, 24), frame=wide)) is Reason.REGION_AT_BORDER
    assert decided(mask_with(Box(20, 17, 40, 24), frame=wide)).region == Box(200, 10, 400, 80)


def test_what_lies_in_the_padding_alone_is_no_region() -> None:
    wide = Letterbox(width=640, height=320, side=SIDE)
    assert reason(mask_with(Box(20, 2, 40, 12), frame=wide)) is Reason.NO_REGION


def test_wavering_model_keeps_the_original() -> None:
    mask = mask_with(Box(20, 30, 40, 38), inside=0.6)
    decision = decide(mask, replace(POLICY, min_confidence=0.8))
    assert isinstance(decision, Kept)
    assert decision.reason is Reason.LOW_CONFIDENCE
    assert decision.confidence == pytest.approx(2 * 0.6 / 1.6)


def test_suspicion_outside_of_the_region_lowers_the_confidence() -> None:
    mask = mask_with(Box(20, 30, 40, 38))
    suspicious = Mask(np.maximum(mask.probabilities, np.float32(0.05)), mask.frame)
    assert decided(suspicious, replace(POLICY, min_confidence=0.5)).confidence < 1.0


def test_confidence_at_the_least_that_is_asked_for_is_enough() -> None:
    mask = mask_with(Box(20, 30, 40, 38), inside=0.75)
    confidence = decided(mask, replace(POLICY, min_confidence=0.0)).confidence
    assert decided(mask, replace(POLICY, min_confidence=confidence)).confidence == confidence
    above = replace(POLICY, min_confidence=math.nextafter(confidence, 1.0))
    assert reason(mask, above) is Reason.LOW_CONFIDENCE


def test_margin_is_measured_on_the_longer_side_of_the_region() -> None:
    frame = Letterbox(width=4000, height=3000, side=256)
    assert crop_around(Box(1000, 1000, 1400, 1100), frame, margin=0.25) == Box(900, 900, 1500, 1200)


def test_margin_ends_at_the_photos_border() -> None:
    frame = Letterbox(width=4000, height=3000, side=256)
    assert crop_around(Box(10, 20, 3900, 2950), frame, margin=0.5) == Box(0, 0, 4000, 3000)


@st.composite
def noisy_masks(draw: st.DrawFn) -> Mask:
    """Regions of every shape, number and place, but none at the photo's border."""
    frame = Letterbox(draw(st.integers(1000, 4000)), draw(st.integers(1000, 4000)), SIDE)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    coarse = draw(st.sampled_from([8, 16, 32, 64]))
    blocks: NDArray[np.float32] = rng.random((coarse, coarse), dtype=np.float32)
    blocks **= draw(st.sampled_from([0.5, 1, 4]))
    noise = blocks.repeat(SIDE // coarse, axis=0).repeat(SIDE // coarse, axis=1)
    within = frame.inner.padded(-1)
    window = np.s_[within.top : within.bottom, within.left : within.right]
    probabilities = np.zeros_like(noise)
    probabilities[window] = noise[window]
    return Mask(probabilities, frame)


ANYTHING = CropPolicy(min_region_px=1, rival_share=2.0, min_confidence=0.0, join_distance=9.0)


@given(noisy_masks(), st.floats(0, 2))
def test_crop_holds_its_region_and_lies_inside_the_photo(mask: Mask, margin: float) -> None:
    decision = decide(mask, replace(ANYTHING, margin=margin))
    assume(isinstance(decision, Crop))
    assert isinstance(decision, Crop)
    assert decision.box.contains(decision.region)
    assert Box(0, 0, mask.frame.width, mask.frame.height).contains(decision.box)
    assert 0.0 <= decision.confidence <= 1.0


@given(noisy_masks(), st.floats(0, 1), st.floats(0, 1))
def test_larger_margin_never_gives_a_smaller_box(mask: Mask, one: float, other: float) -> None:
    small = decide(mask, replace(ANYTHING, margin=min(one, other)))
    large = decide(mask, replace(ANYTHING, margin=max(one, other)))
    assume(isinstance(small, Crop))
    assert isinstance(small, Crop)
    assert isinstance(large, Crop)
    assert large.box.contains(small.box)
    assert large.region == small.region


@given(st.data(), st.integers(200, 5000), st.integers(200, 5000))
def test_region_holds_every_photo_pixel_whose_probability_is_over_the_threshold(
    data: st.DataObject, width: int, height: int
) -> None:
    frame = Letterbox(width, height, SIDE)
    inner = frame.inner
    assume(inner.width > 8 and inner.height > 8)
    left = data.draw(st.integers(inner.left + 1, inner.right - 6))
    top = data.draw(st.integers(inner.top + 1, inner.bottom - 6))
    right = data.draw(st.integers(left + 4, inner.right - 1))
    bottom = data.draw(st.integers(top + 4, inner.bottom - 1))
    crop = decided(mask_with(Box(left, top, right, bottom), frame=frame))
    columns = (np.arange(width) + 0.5) * inner.width / width + inner.left
    rows = (np.arange(height) + 0.5) * inner.height / height + inner.top
    inside = np.flatnonzero((columns >= left) & (columns < right))
    assert crop.region.left <= inside.min() <= inside.max() < crop.region.right
    inside = np.flatnonzero((rows >= top) & (rows < bottom))
    assert crop.region.top <= inside.min() <= inside.max() < crop.region.bottom


@given(noisy_masks(), st.floats(0, 1), st.floats(0, 1))
def test_stricter_policy_never_crops_what_a_milder_one_keeps(
    mask: Mask, one: float, other: float
) -> None:
    mild = decide(mask, replace(ANYTHING, min_confidence=min(one, other)))
    strict = decide(mask, replace(ANYTHING, min_confidence=max(one, other)))
    assert isinstance(mild, Crop) or isinstance(strict, Kept)
