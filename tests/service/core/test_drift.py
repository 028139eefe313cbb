"""A model's day is held to its own earlier weeks; quiet days and small changes say nothing."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest

from service.core.drift import (
    BASELINE,
    GAP,
    MIN_DAYS,
    MIN_PHOTOS,
    PARTS_PER_UNIT,
    DriftDay,
    Figure,
    ModelDay,
    drift_of,
    first_day_needed,
)

TODAY = date(2026, 3, 1)
MODEL = "attention-unet abababababab"


def day_of(
    day: date,
    *,
    photos: int = 1_000,
    refused: float = 0.1,
    confidence: float = 0.95,
    region: float = 0.03,
    model: str = MODEL,
) -> ModelDay:
    of_photos = round(photos * refused)
    cropped = photos - of_photos
    return ModelDay(
        day,
        model,
        photos,
        cropped,
        of_photos,
        round(confidence * photos * PARTS_PER_UNIT),
        round(region * cropped * PARTS_PER_UNIT),
    )


def weeks(chance: Random, *, photos: int = 1_000, before: date = TODAY) -> list[ModelDay]:
    """Five usual ones, each day a little different."""
    return [
        day_of(
            before - timedelta(days=days),
            photos=photos + chance.randint(-100, 100),
            refused=0.1 + chance.gauss(0, 0.008),
            confidence=0.95 + chance.gauss(0, 0.003),
            region=0.03 + chance.gauss(0, 0.001),
        )
        for days in range(1, 36)
    ]


def judged(today: ModelDay, earlier: list[ModelDay]) -> DriftDay:
    (found,) = drift_of([*earlier, today], since=today.day)
    return found


def figures(day: DriftDay) -> list[Figure]:
    return [alarm.figure for alarm in day.alarms]


def test_usual_day_is_no_alarm() -> None:
    for seed in range(20):
        day = judged(day_of(TODAY, refused=0.105), weeks(Random(seed)))
        assert day.is_judged
        assert day.alarms == ()


@pytest.mark.parametrize(
    ("today", "figure"),
    [
        (day_of(TODAY, refused=0.3), Figure.REFUSED),
        (day_of(TODAY, refused=0.0), Figure.REFUSED),
        (day_of(TODAY, confidence=0.8), Figure.CONFIDENCE),
        (day_of(TODAY, region=0.06), Figure.REGION),
    ],
    ids=str,
)
def test_figure_that_left_its_limits_is_an_alarm(today: ModelDay, figure: Figure) -> None:
    assert figures(judged(today, weeks(Random(1)))) == [figure]


def test_alarm_says_in_words_what_was_and_what_would_be_usual() -> None:
    earlier = [day_of(TODAY - timedelta(days=days)) for days in range(1, 36)]
    (alarm,) = judged(day_of(TODAY, refused=0.25), earlier).alarms

    assert alarm.sentence == (
        "The share of photos refused was 25.0%, where its earlier weeks had 10.0% "
        "and 7.2% to 12.8% would be usual."
    )
    assert alarm.low < alarm.expected < alarm.high < alarm.value


def test_quiet_day_says_nothing() -> None:
    quiet = day_of(TODAY, photos=MIN_PHOTOS - 1, refused=1.0, confidence=0.1)

    day = judged(quiet, weeks(Random(1)))

    assert not day.is_judged
    assert day.alarms == ()


def test_few_photos_have_wider_limits_than_many() -> None:
    earlier = weeks(Random(1))

    assert figures(judged(day_of(TODAY, photos=40, refused=0.2), earlier)) == []
    assert figures(judged(day_of(TODAY, photos=4_000, refused=0.2), earlier)) == [Figure.REFUSED]


def test_model_without_earlier_weeks_is_not_judged() -> None:
    earlier = weeks(Random(1))
    new = day_of(TODAY, refused=0.9, model="attention-unet cdcdcdcdcdcd")

    assert not judged(new, earlier).is_judged
    recent = [each for each in earlier if each.day >= TODAY - GAP]
    assert not judged(day_of(TODAY, refused=0.9), recent).is_judged
    assert not judged(day_of(TODAY), earlier[7 : 7 + MIN_DAYS - 1]).is_judged
    assert judged(day_of(TODAY), earlier[7 : 7 + MIN_DAYS]).is_judged


def test_drift_of_the_last_week_is_no_measure_for_its_own_days() -> None:
    earlier = [
        day_of(each.day, refused=0.4) if each.day >= TODAY - GAP else each
        for each in weeks(Random(1))
    ]

    days = drift_of([*earlier, day_of(TODAY, refused=0.4)], since=TODAY - GAP)

    assert len(days) == 8
    assert all(figures(day) == [Figure.REFUSED] for day in days)


def test_days_that_always_differ_much_have_wider_limits() -> None:
    chance = Random(3)
    unruly = [day_of(each.day, refused=0.1 + chance.uniform(-0.08, 0.08)) for each in weeks(chance)]

    assert figures(judged(day_of(TODAY, refused=0.18), weeks(Random(3)))) == [Figure.REFUSED]
    assert figures(judged(day_of(TODAY, refused=0.18), unruly)) == []


def test_change_too_small_to_matter_is_no_alarm_however_sure() -> None:
    same = [day_of(TODAY - timedelta(days=days), photos=100_000) for days in range(1, 36)]
    today = day_of(TODAY, photos=100_000, refused=0.115, confidence=0.94, region=0.033)

    assert judged(today, same).alarms == ()


def test_model_that_never_refused_may_refuse_one() -> None:
    never = [day_of(TODAY - timedelta(days=days), refused=0.0) for days in range(1, 36)]

    assert judged(day_of(TODAY, photos=1_000, refused=0.001), never).alarms == ()
    assert figures(judged(day_of(TODAY, refused=0.1), never)) == [Figure.REFUSED]


def test_day_on_which_nothing_was_cropped_has_no_region() -> None:
    today = day_of(TODAY, refused=1.0)

    assert today.mean_region_fraction is None
    assert figures(judged(today, weeks(Random(1)))) == [Figure.REFUSED]


def test_days_come_in_order_of_day_and_model() -> None:
    days = [
        day_of(TODAY, model="b"),
        day_of(TODAY, model="a"),
        day_of(TODAY - timedelta(days=1), model="b"),
        day_of(TODAY - timedelta(days=2), model="b"),
    ]

    found = drift_of(days, since=TODAY - timedelta(days=1))

    assert [each.day for each in found] == [days[2], days[1], days[0]]


def test_days_needed_are_those_of_the_weeks_compared_with() -> None:
    assert first_day_needed(TODAY) == TODAY - BASELINE - GAP
    assert first_day_needed(date.min) == date.min
