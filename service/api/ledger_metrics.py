"""What Prometheus reads of the whole archive, from the ledger's sums at each scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Metric
from prometheus_client.registry import Collector

from service.api.job_metrics import gauge, text_of
from service.core.drift import DriftDay, Figure, ModelDay, drift_of, first_day_needed
from service.core.errors import Unavailable
from service.core.savings import Period, SavingsTotals
from service.core.spans import shifted
from service.ports import Ledger

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LedgerCollector(Collector):
    """Families of gauges; none while the database does not answer, so that the rest is read."""

    ledger: Ledger
    min_billable_bytes: int
    at: datetime

    def collect(self) -> Iterable[Metric]:
        today = self.at.astimezone(UTC).date()
        yesterday = shifted(today, -ONE_DAY)
        try:
            days = self.ledger.model_days(first_day_needed(yesterday), shifted(today, ONE_DAY))
            minimum = self.min_billable_bytes
            totals = self.ledger.savings(Period(), min_billable_bytes=minimum).totals
        except Unavailable as error:
            structlog.get_logger().warning("metrics.sums_unknown", code=error.code, why=str(error))
            return
        yield from _of_archive(totals)
        yield from _of_models([day for day in days if day.day == today])
        yield _alarms(drift_of(days, since=yesterday))


def ledger_metrics(ledger: Ledger, *, min_billable_bytes: int, at: datetime) -> bytes:
    """Text as `Metrics.text` gives it, to be put after that."""
    return text_of(LedgerCollector(ledger, min_billable_bytes, at))


def _of_archive(totals: SavingsTotals) -> Iterator[Metric]:
    for name, meaning, value in (
        ("photos", "Photos in the archive.", totals.photos),
        ("cropped", "Those of them that are cropped.", totals.cropped),
        ("original_bytes", "Their bytes as they came in.", totals.original_bytes),
        ("stored_bytes", "Their bytes as they are stored.", totals.stored_bytes),
        ("freed_bytes", "Bytes that are really no longer stored.", totals.freed_bytes),
        ("billable_saved_bytes", "The same as it is billed.", totals.billable_saved_bytes),
    ):
        yield gauge(f"metercrop_archive_{name}", meaning, [((), value)])


def _of_models(today: list[ModelDay]) -> Iterator[Metric]:
    photos = [((day.model,), float(day.photos)) for day in today]
    meaning = "Photos that came in today (UTC), by the model that looked at them."
    yield gauge("metercrop_drift_photos", meaning, photos, labels=("model",))
    for figure, meaning in (
        (Figure.REFUSED, "Share of today's photos whose original was kept."),
        (Figure.CONFIDENCE, "Mean confidence over today's photos."),
        (Figure.REGION, "Mean share of the photo that the region fills, over today's crops."),
    ):
        values = ((day.model, day.value(figure)) for day in today)
        known = [((model,), value) for model, value in values if value is not None]
        yield gauge(f"metercrop_drift_{figure}", meaning, known, labels=("model",))


def _alarms(days: Iterable[DriftDay]) -> Metric:
    """Of each model's last day that could be judged: today's, or yesterday's while it is early."""
    last: dict[str, set[Figure]] = {}
    for day in days:
        alarms = {alarm.figure for alarm in day.alarms}
        last[day.day.model] = alarms if day.is_judged else last.get(day.day.model, set())
    samples = [
        ((model, figure.value), float(figure in of_model))
        for model, of_model in last.items()
        for figure in Figure
    ]
    meaning = "1 where a model's day is unlike its own earlier weeks."
    return gauge("metercrop_drift_alarm", meaning, samples, labels=("model", "figure"))
