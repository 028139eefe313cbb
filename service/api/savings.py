"""`/v1/savings`: what was saved, as JSON and CSV, and whether the models drift."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from service.api.csv_text import Cell, csv_chunks, harmless
from service.api.keys import requires
from service.api.openapi import REFUSED_KEY, problems
from service.api.parts import Parts
from service.api.queries import PeriodQuery, SavingsQuery
from service.api.running import Here
from service.api.savings_schemas import (
    DriftAnswer,
    DriftDayAnswer,
    SavingsAnswer,
    Tariff,
    TotalsAnswer,
)
from service.core.access import Scope
from service.core.drift import drift_of, first_day_needed
from service.core.savings import GroupBy, Period, asked_period
from service.core.spans import end_of_day, shifted

DRIFT_DAYS = timedelta(days=28)
"""Shown where no period is asked for."""
TOTALS = tuple(TotalsAnswer.model_fields)


def savings_router() -> APIRouter:
    router = APIRouter(tags=["Savings"], dependencies=[Depends(requires(Scope.READ))])
    refused = problems(*REFUSED_KEY, "field.invalid")
    csv: dict[int | str, dict[str, Any]] = {
        200: {"description": "A line with the columns' names, then the groups.", **_csv_content()}
    }
    router.add_api_route("/v1/savings", show_savings, responses=refused)
    router.add_api_route(
        "/v1/savings.csv", save_savings, response_class=StreamingResponse, responses=csv | refused
    )
    router.add_api_route("/v1/savings/drift", show_drift, responses=refused)
    return router


def show_savings(query: Annotated[SavingsQuery, Query()], running: Here) -> SavingsAnswer:
    """What was saved by the photos received in a period, in all and in groups."""
    return savings_answer(running.parts, from_=query.from_, to=query.to, group_by=query.group_by)


def save_savings(query: Annotated[SavingsQuery, Query()], running: Here) -> StreamingResponse:
    """The same as CSV: a row a group, or one row where nothing is asked to be grouped by.

    A name that a spreadsheet would take for a formula has an apostrophe before it.
    """
    answer = show_savings(query, running)
    named = f"savings-by-{query.group_by}.csv" if query.group_by else "savings.csv"
    headers = {"Content-Disposition": f'attachment; filename="{named}"'}
    return StreamingResponse(
        savings_csv(answer), media_type="text/csv; charset=utf-8", headers=headers
    )


def show_drift(query: Annotated[PeriodQuery, Query()], running: Here) -> DriftAnswer:
    """Each model's days of UTC beside its own earlier weeks, with an alarm where they differ.

    Without `from` the last four weeks are shown.
    """
    return drift_answer(running.parts, from_=query.from_, to=query.to)


def savings_answer(
    parts: Parts, *, from_: datetime | None, to: datetime | None, group_by: GroupBy | None
) -> SavingsAnswer:
    """For the API and for pages, whose numbers are the same."""
    now = parts.intake.clock()
    period = asked_period(from_, to, default_days=parts.savings_days, now=now)
    report = parts.ledger.savings(
        period, group_by=group_by, min_billable_bytes=parts.min_billable_bytes
    )
    return SavingsAnswer.of(report, tariff_of(parts))


def tariff_of(parts: Parts) -> Tariff:
    return Tariff(parts.price_per_gb_month, parts.currency, parts.min_billable_bytes)


def savings_csv(answer: SavingsAnswer) -> Iterator[bytes]:
    """The key, the figures of a total, and what money is counted in."""
    columns = ("key", *TOTALS, "currency")
    found: list[tuple[str | None, TotalsAnswer]] = [(each.key, each) for each in answer.groups]
    if answer.group_by is None:
        found = [(None, answer.totals)]
    rows = (_row(key, totals, answer.currency) for key, totals in found)
    return csv_chunks(columns, rows)


def drift_answer(parts: Parts, *, from_: datetime | None, to: datetime | None) -> DriftAnswer:
    """Of whole days: those in which the period begins and ends too."""
    period = Period(from_, to)
    before = end_of_day(period.to or parts.intake.clock())
    since = shifted(before, -DRIFT_DAYS) if period.from_ is None else period.from_.date()
    days = parts.ledger.model_days(first_day_needed(since), before)
    judged = [DriftDayAnswer.of(each) for each in drift_of(days, since=since)]
    return DriftAnswer(from_=since, to=before, days=judged)


def _row(key: str | None, totals: TotalsAnswer, currency: str) -> tuple[Cell, ...]:
    return (harmless(key or ""), *(getattr(totals, name) for name in TOTALS), currency)


def _csv_content() -> dict[str, Any]:
    return {"content": {"text/csv": {"schema": {"type": "string"}}}}
