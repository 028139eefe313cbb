"""Whether each model still sees what it used to see, day by day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.api.savings_schemas import DriftAnswer, DriftDayAnswer
from service.core.drift import Figure
from service.core.figures import share
from service.core.savings import GroupBy
from service.dashboard.charts import Chart, Kind, Series, Unit
from service.dashboard.timeline import step_label


@dataclass(frozen=True, slots=True)
class Shown:
    """How a figure is drawn: the charts of one model are beside each other, each on its scale."""

    label: str
    colour: str
    from_zero: bool


SHOWN: Mapping[Figure, Shown] = {
    Figure.REFUSED: Shown("Share kept whole", "--original", from_zero=True),
    Figure.CONFIDENCE: Shown("Mean confidence", "--stored", from_zero=False),
    Figure.REGION: Shown(
        "Mean share of the photo that the region fills", "--stored", from_zero=True
    ),
}


@dataclass(frozen=True, slots=True)
class ModelDrift:
    """One model's days, the last first; the charts have every day of the time that is shown."""

    model: str
    days: Sequence[DriftDayAnswer]
    charts: Mapping[str, Chart]
    """By what they show."""

    @property
    def alarmed(self) -> Sequence[DriftDayAnswer]:
        return [day for day in self.days if day.alarms]

    @property
    def is_judged(self) -> bool:
        return any(day.is_judged for day in self.days)


def model_drifts(drift: DriftAnswer) -> tuple[ModelDrift, ...]:
    """A model that saw a photo in that time, each; the one that worked last comes first."""
    by_model: dict[str, list[DriftDayAnswer]] = {}
    for day in reversed(drift.days):
        by_model.setdefault(day.model, []).append(day)
    axis = tuple(_days(drift.from_, drift.to))
    return tuple(ModelDrift(model, days, _charts(days, axis)) for model, days in by_model.items())


def _charts(days: Sequence[DriftDayAnswer], axis: Sequence[date]) -> Mapping[str, Chart]:
    found = {day.day: day for day in days}
    shown = [found.get(day) for day in axis]
    labels = [step_label(day, GroupBy.DAY) for day in axis]
    return {
        how.label: Chart(
            Kind.LINE,
            Unit.SHARE,
            labels,
            [_series(figure, how, shown)],
            [_note(day) for day in shown],
            how.from_zero,
        )
        for figure, how in SHOWN.items()
    }


def _series(figure: Figure, how: Shown, days: Sequence[DriftDayAnswer | None]) -> Series:
    values: list[float | None] = [None if day is None else getattr(day, figure) for day in days]
    texts = ["" if each is None else share(each) for each in values]
    return Series(how.label, how.colour, values, texts, [_alarms(figure, day) for day in days])


def _alarms(figure: Figure, day: DriftDayAnswer | None) -> bool:
    return day is not None and any(alarm.figure is figure for alarm in day.alarms)


def _note(day: DriftDayAnswer | None) -> str:
    if day is None:
        return ""
    return f"{day.photos:,} photo{'s' * (day.photos != 1)}{', alarm' * bool(day.alarms)}"


def _days(first: date, before: date) -> Iterator[date]:
    for number in range((before - first).days):
        yield first + timedelta(days=number)
