"""What the API answers about savings, field by field in the interface's order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field

from service.api.schemas import MONEY_DIGITS, Answer
from service.core.drift import Alarm, DriftDay, Figure
from service.core.savings import GroupBy, SavingsGroup, SavingsReport, SavingsTotals


@dataclass(frozen=True, slots=True)
class Tariff:
    """What storing costs."""

    price_per_gb_month: float
    currency: str
    min_billable_bytes: int


class TotalsAnswer(Answer):
    photos: int
    cropped: int
    kept_original: int
    original_bytes: int
    stored_bytes: int
    """Stored objects, and the pictures of the whole beside the crops."""
    saved_bytes: int
    """What these are smaller by than the originals."""
    freed_bytes: int
    """What is really no longer stored: originals in grace, locked, or only marked still cost."""
    saved_fraction: float
    mean_saved_bytes: int
    money_per_month: float
    """What `billable_saved_bytes` would cost."""
    billable_saved_bytes: int
    """`freed_bytes`, each object counted with at least `min_billable_bytes`, as the store does."""

    @classmethod
    def of(cls, totals: SavingsTotals, *, price_per_gb_month: float) -> Self:
        money = totals.money_per_month(price_per_gb_month=price_per_gb_month)
        return cls(
            photos=totals.photos,
            cropped=totals.cropped,
            kept_original=totals.kept_original,
            original_bytes=totals.original_bytes,
            stored_bytes=totals.stored_bytes,
            saved_bytes=totals.saved_bytes,
            freed_bytes=totals.freed_bytes,
            saved_fraction=round(totals.saved_fraction, 4),
            mean_saved_bytes=totals.mean_saved_bytes,
            money_per_month=round(money, MONEY_DIGITS),
            billable_saved_bytes=totals.billable_saved_bytes,
        )


class Keyed(Answer):
    key: str | None
    """A day, a week's Monday, a month's first, or a name; null for photos that have none."""


class GroupAnswer(TotalsAnswer, Keyed):
    @classmethod
    def of_group(cls, group: SavingsGroup, *, price_per_gb_month: float) -> Self:
        totals = TotalsAnswer.of(group.totals, price_per_gb_month=price_per_gb_month)
        return cls(key=group.key, **dict(totals))


class SavingsAnswer(Answer):
    from_: Annotated[datetime | None, Field(alias="from")]
    to: datetime | None
    group_by: GroupBy | None = None
    totals: TotalsAnswer
    groups: list[GroupAnswer]
    """Each photo is in one; days, weeks and months without any are left out."""
    currency: str
    """Of money and price, by ISO 4217."""
    price_per_gb_month: float
    min_billable_bytes: int

    @classmethod
    def of(cls, report: SavingsReport, tariff: Tariff) -> Self:
        price = tariff.price_per_gb_month
        return cls(
            from_=report.period.from_,
            to=report.period.to,
            group_by=report.group_by,
            totals=TotalsAnswer.of(report.totals, price_per_gb_month=price),
            groups=[GroupAnswer.of_group(each, price_per_gb_month=price) for each in report.groups],
            currency=tariff.currency,
            price_per_gb_month=price,
            min_billable_bytes=tariff.min_billable_bytes,
        )


class AlarmAnswer(Answer):
    figure: Figure
    value: float
    expected: float
    """What the model's earlier weeks had on average."""
    low: float
    high: float
    sentence: str

    @classmethod
    def of(cls, alarm: Alarm) -> Self:
        return cls(
            figure=alarm.figure,
            value=round(alarm.value, 6),
            expected=round(alarm.expected, 6),
            low=round(alarm.low, 6),
            high=round(alarm.high, 6),
            sentence=alarm.sentence,
        )


class DriftDayAnswer(Answer):
    day: date
    model: str
    """Its name, and the first twelve digits of its file's SHA-256."""
    photos: int
    refused: int
    """Originals that were kept, but for those that somebody restored."""
    refused_fraction: float
    mean_confidence: float
    mean_region_fraction: float | None
    """Of the photo's area, over the cropped ones; null where there are none."""
    is_judged: bool
    """Whether this day and the weeks before it have photos enough to tell."""
    alarms: list[AlarmAnswer]

    @classmethod
    def of(cls, drift: DriftDay) -> Self:
        day = drift.day
        region = day.mean_region_fraction
        return cls(
            day=day.day,
            model=day.model,
            photos=day.photos,
            refused=day.refused,
            refused_fraction=round(day.refused_fraction, 6),
            mean_confidence=round(day.mean_confidence, 6),
            mean_region_fraction=None if region is None else round(region, 6),
            is_judged=drift.is_judged,
            alarms=[AlarmAnswer.of(alarm) for alarm in drift.alarms],
        )


class DriftAnswer(Answer):
    """By day and model; days without a photo are left out."""

    from_: Annotated[date, Field(alias="from")]
    to: date
    """The first day that no longer counts."""
    days: list[DriftDayAnswer]
