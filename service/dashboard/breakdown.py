"""Savings by one thing, as a table whose rows lead to the photos behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.api.savings_schemas import SavingsAnswer, TotalsAnswer
from service.core.crop import Reason
from service.core.record import Status
from service.core.savings import GroupBy, Period, SavingsReport, SavingsTotals
from service.dashboard.addresses import address_of, ends
from service.dashboard.reasons import EXPLAINED
from service.dashboard.selection import Top

FIRST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """`href` leads to its photos, None where they can't be selected by it.

    Widths are per cent of the largest row's original bytes.
    """

    label: str
    href: str | None
    totals: TotalsAnswer
    original_width: float
    stored_width: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`others` sums up what is not among the rows."""

    by: GroupBy
    rows: Sequence[Row]
    others: TotalsAnswer | None
    others_count: int


def breakdown(report: SavingsReport, answer: SavingsAnswer, *, by: GroupBy, top: Top) -> Breakdown:
    """`answer` is what the API says of `report`; with one row to spare nothing is summed up."""
    shown = len(answer.groups)
    if top is Top.FIRST and shown > FIRST_ROWS + 1:
        shown = FIRST_ROWS
    rest = [group.totals for group in report.groups[shown:]]
    others = TotalsAnswer.of(
        sum(rest, start=SavingsTotals()), price_per_gb_month=answer.price_per_gb_month
    )
    largest = max((group.original_bytes for group in answer.groups[:shown]), default=0) or 1
    rows = [
        Row(
            label_of(by, group.key),
            photos_of(by, group.key, report.period),
            group,
            _width(group.original_bytes, largest),
            _width(group.stored_bytes, largest),
        )
        for group in answer.groups[:shown]
    ]
    return Breakdown(by, rows, others if rest else None, len(rest))


def label_of(by: GroupBy, key: str | None) -> str:
    match by:
        case GroupBy.REASON:
            return "Cropped" if key is None else EXPLAINED[Reason(key)].name
        case GroupBy.SITE:
            return "No site named" if key is None else key
        case GroupBy.METER_TYPE:
            return "No meter type named" if key is None else key
    return key or "Not named"


def photos_of(by: GroupBy, key: str | None, period: Period) -> str | None:
    """The list of the very photos that a row counts."""
    during = ends(period.from_, period.to)
    match by:
        case GroupBy.REASON if key is None:
            return address_of("/photos", {"status": Status.CROPPED.value, **during})
        case GroupBy.REASON if key is not None:
            return address_of("/refusals", {"reason": key, **during})
        case GroupBy.SITE if key is not None:
            return address_of("/photos", {"site": key, **during})
    return None


def _width(count: int, largest: int) -> float:
    return round(max(0.0, count / largest * 100.0), 1)
