from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.rendering.counter import LOOKS, Counter, drum_counter, lcd_counter
from models.rendering.drums import draw_drums, turns
from models.rendering.lcd import draw_lcd
from models.rendering.lettering import Hand, Script, letters
from models.rendering.sheet import Sheet


def drums(seed: int) -> Counter:
    rng = np.random.default_rng(seed)
    return drum_counter(rng, looks=dict.fromkeys(LOOKS, 1.0), whole=5, decimals=3)


def blank_sheet() -> Sheet:
    return Sheet(Image.new("RGB", (440, 160), (128, 128, 128)), 400.0, (-0.55, -0.2))


def drawn_drums(counter: Counter) -> np.ndarray:
    sheet = blank_sheet()
    draw_drums(sheet, counter, np.random.default_rng(0), light=(0.0, -1.0))
    return np.asarray(sheet.image).astype(int)


@pytest.mark.parametrize("seed", range(6))
def test_reading_is_its_digits_with_a_point_before_the_decimals(seed: int) -> None:
    counter = drums(seed)
    assert counter.reading == f"{counter.digits[:5]}.{counter.digits[5:]}"
    assert len(counter.digits) == 8


def test_only_drums_before_nines_turn_with_the_last() -> None:
    counter = replace(drums(1), whole="00199", decimals="799", roll=0.4)
    assert turns(counter) == [0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.4, 0.4]


def test_windows_are_one_unit_wide_and_hold_a_taller_last_drum() -> None:
    counter = replace(drums(1), height=0.2, last_height=0.26)
    row, last = counter.windows
    assert (row[:, 0].min(), row[:, 0].max()) == (-0.5, 0.5)
    assert np.ptp(last[:, 1]) == pytest.approx(0.26)
    assert np.ptp(last[:, 0]) == pytest.approx(1 / 8)
    assert len(replace(counter, last_height=0.2).windows) == 1


def test_drums_fill_their_windows_and_nothing_else() -> None:
    counter = replace(drums(2), height=0.2, last_height=0.2)
    touched = (np.abs(drawn_drums(counter) - 128) > 0).any(axis=2)
    outside = touched.copy()
    outside[39:122, 19:422] = False  # the window, a pixel wider for rounding
    assert touched[42:118, 22:418].mean() > 0.95
    assert not outside.any()


def test_another_digit_is_another_picture_in_its_own_window_alone() -> None:
    one = replace(drums(3), whole="00010", decimals="222", roll=0.0, last_height=0.2, height=0.2)
    other = replace(one, whole="00070")
    columns = np.flatnonzero((drawn_drums(one) != drawn_drums(other)).any(axis=(0, 2)))
    assert columns.min() >= 20 + 3 * 50 - 1
    assert columns.max() <= 20 + 4 * 50 + 1


def test_half_turned_drum_shows_two_digits() -> None:
    still = replace(drums(4), whole="00010", decimals="", roll=0.0, last_height=0.2, height=0.2)
    turning = replace(still, roll=0.5)
    difference = np.abs(drawn_drums(still) - drawn_drums(turning)).sum(axis=(0, 2))
    assert difference[340:420].sum() > 1000
    assert difference[:335].sum() == 0


def test_lit_segments_differ_from_the_glass_and_eight_lights_the_most() -> None:
    rng = np.random.default_rng(1)
    plain = replace(lcd_counter(rng), whole="0000", decimals="", ground=(0.6, 0.65, 0.55),
                    figure=(0.1, 0.1, 0.1), height=0.3)  # fmt: skip

    def dark_pixels(whole: str) -> int:
        sheet = blank_sheet()
        draw_lcd(sheet, replace(plain, whole=whole), np.random.default_rng(0))
        return int((np.asarray(sheet.image.convert("L")) < 60).sum())

    assert dark_pixels("8888") > dark_pixels("0000") > dark_pixels("7777") > dark_pixels("1111")


@pytest.mark.parametrize(
    ("text", "script"),
    [("Qn 1,5 m³/h", Script.LATIN), ("METPnKA", Script.TURNED), ("水表电力", Script.HAN)],
)
@pytest.mark.parametrize("hand", [Hand(), Hand(0.7, 0.1, 0.2)])
def test_every_script_leaves_ink(text: str, script: Script, hand: Hand) -> None:
    ink = np.asarray(letters(text, 20, hand=hand, script=script))
    assert 0.05 < (ink > 128).mean() < 0.7


def test_turned_letters_are_mirrored_capitals() -> None:
    upright = np.asarray(letters("R", 30, hand=Hand(), script=Script.TURNED))
    turned = np.asarray(letters("r", 30, hand=Hand(), script=Script.TURNED))
    assert np.array_equal(turned, upright[:, ::-1])
