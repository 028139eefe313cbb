"""The route `/v1/savings`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from service.api.keys import requires
from service.api.openapi import REFUSED_KEY, problems
from service.api.queries import PeriodQuery
from service.api.running import Here
from service.api.schemas import SavingsAnswer, TotalsAnswer
from service.core.access import Scope
from service.core.record import PhotoFilter


def savings_router() -> APIRouter:
    router = APIRouter(tags=["Savings"], dependencies=[Depends(requires(Scope.READ))])
    router.add_api_route(
        "/v1/savings", show_savings, responses=problems(*REFUSED_KEY, "field.invalid")
    )
    return router


def show_savings(query: Annotated[PeriodQuery, Query()], running: Here) -> SavingsAnswer:
    """What was saved by the photos received in a period."""
    parts = running.parts
    totals = parts.ledger.totals(
        PhotoFilter(from_=query.from_, to=query.to),
        min_billable_bytes=parts.min_billable_bytes,
    )
    answer = TotalsAnswer.of(totals, price_per_gb_month=parts.price_per_gb_month)
    return SavingsAnswer(from_=query.from_, to=query.to, totals=answer, groups=[])
