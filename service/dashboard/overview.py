"""`GET /`: what was saved, over time and by what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from service.api.parts import Parts
from service.api.running import Here
from service.api.savings import drift_answer, tariff_of
from service.api.savings_schemas import SavingsAnswer
from service.core.record import PhotoFilter
from service.core.savings import GroupBy, Period, SavingsReport, asked_period
from service.dashboard.addresses import ends
from service.dashboard.breakdown import Breakdown, breakdown
from service.dashboard.photos import card_of
from service.dashboard.rendering import Section, pages_on
from service.dashboard.routes import page_router
from service.dashboard.selection import (
    TABS,
    OverviewQuery,
    Selection,
    everything,
    selection_of,
    words_of,
)
from service.dashboard.timeline import (
    MOST_WEEKS,
    first_day,
    fitting,
    last_day,
    savings_chart,
    timeline,
)
from service.dashboard.visitor import Reading

LAST_PHOTOS = 6
ALARM_DAYS = timedelta(days=7)
"""Alarms that are older are told on the page of health alone."""
TIMES = (GroupBy.DAY, GroupBy.WEEK, GroupBy.MONTH)


@dataclass(frozen=True, slots=True)
class AlarmNotice:
    day: str
    model: str
    sentence: str


def overview_router() -> APIRouter:
    router = page_router()
    router.add_api_route("/", overview, methods=["GET", "HEAD"], response_class=HTMLResponse)
    return router


def overview(
    request: Request, visitor: Reading, running: Here, query: Annotated[OverviewQuery, Query()]
) -> HTMLResponse:
    parts = running.parts
    chosen, now = selection_of(query), parts.intake.clock()
    period = asked_period(query.from_, query.to, default_days=parts.savings_days, now=now)
    group_by = chosen.group_by or _fitting(parts, period, now=now)
    last = parts.ledger.page(PhotoFilter(), limit=LAST_PHOTOS)
    values = {
        **_choices(chosen, period, default_days=parts.savings_days, now=now),
        **_over_time(parts, period, group_by, now=now),
        "csv_over_time": chosen.csv(group_by),
        "breakdown": _breakdown(parts, period, chosen),
        "alarms": _alarms(parts, now=now),
        "cards": [card_of(record) for record in last.items],
        "address": str(request.base_url).rstrip("/"),
        "needs_key": parts.authentication.asks_for_keys(),
    }
    return pages_on(request).page(
        request, "overview.html", values, visitor=visitor, section=Section.SAVINGS
    )


def _choices(
    chosen: Selection, period: Period, *, default_days: int, now: datetime
) -> dict[str, object]:
    return {
        "chosen": chosen,
        "chosen_words": words_of(period),
        "ends": ends(period.from_, period.to),
        "presets": tuple(chosen.presets(everything(default_days), now=now)),
        "times": TIMES,
        "tabs": tuple(chosen.tabs()),
        "by_label": TABS[chosen.by],
        "all_rows": chosen.of_all_rows(),
        "csv_by": chosen.csv(chosen.by),
    }


def _over_time(
    parts: Parts, period: Period, group_by: GroupBy, *, now: datetime
) -> dict[str, object]:
    savings = answer_of(parts, _report(parts, period, group_by))
    steps = timeline(savings, now=now)
    return {
        "group_by": group_by,
        "savings": savings,
        "steps": steps,
        "chart": savings_chart(steps),
    }


def _report(parts: Parts, period: Period, group_by: GroupBy) -> SavingsReport:
    minimum = parts.min_billable_bytes
    return parts.ledger.savings(period, group_by=group_by, min_billable_bytes=minimum)


def answer_of(parts: Parts, report: SavingsReport) -> SavingsAnswer:
    return SavingsAnswer.of(report, tariff_of(parts))


def _fitting(parts: Parts, period: Period, *, now: datetime) -> GroupBy:
    """A long period may hold photos of its last week only."""
    last = last_day(period.to, now=now)
    if period.from_ is not None and (last - period.from_.date()).days < MOST_WEEKS:
        return fitting(period.from_.date(), last)
    months = answer_of(parts, _report(parts, period, GroupBy.MONTH)).groups
    return fitting(first_day(months[0]), last) if months else GroupBy.MONTH


def _breakdown(parts: Parts, period: Period, chosen: Selection) -> Breakdown:
    report = _report(parts, period, chosen.by)
    return breakdown(report, answer_of(parts, report), by=chosen.by, top=chosen.top)


def _alarms(parts: Parts, *, now: datetime) -> Sequence[AlarmNotice]:
    """Of each model's last day that was judged, as one good day ends an alarm."""
    drift = drift_answer(parts, from_=now - ALARM_DAYS, to=None)
    last = {day.model: day for day in drift.days if day.is_judged}
    return [
        AlarmNotice(day.day.isoformat(), day.model, alarm.sentence)
        for day in last.values()
        for alarm in day.alarms
    ]
