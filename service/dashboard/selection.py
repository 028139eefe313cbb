"""What the address of the savings page selects, and the addresses that select something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from service.api.queries import Query
from service.core.savings import GroupBy, Period
from service.dashboard.addresses import Moment, address_of, empty_is_none, ends, midnight, rfc_3339


class Top(StrEnum):
    """How many rows a breakdown shows before it sums up the rest."""

    FIRST = "first"
    ALL = "all"


def _of_time(group_by: GroupBy | None) -> GroupBy | None:
    if group_by is not None and not group_by.is_of_time:
        raise ValueError("a chart over time is by day, week or month")
    return group_by


def _not_of_time(by: GroupBy) -> GroupBy:
    if by.is_of_time:
        raise ValueError("the table is by site, meter_type, model, reason or source")
    return by


class OverviewQuery(Query):
    from_: Annotated[Moment, Field(alias="from")] = None
    to: Moment = None
    group_by: Annotated[
        GroupBy | None, BeforeValidator(empty_is_none), AfterValidator(_of_time)
    ] = None
    by: Annotated[GroupBy, AfterValidator(_not_of_time)] = GroupBy.SITE
    top: Top = Top.FIRST


@dataclass(frozen=True, slots=True)
class Choice:
    """A link to the same page with something else chosen."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """`from_` and `to` as in the address; what is None is not in it."""

    period: Period
    group_by: GroupBy | None
    by: GroupBy
    top: Top

    def presets(self, everything: Period, *, now: datetime) -> Iterator[Choice]:
        today = now.astimezone(UTC).date()
        months = today.year * 12 + today.month - 12
        for label, period in (
            ("7 days", _since(today - timedelta(days=6))),
            ("30 days", _since(today - timedelta(days=29))),
            ("12 months", _since(date(months // 12, months % 12 + 1, 1))),
            ("Everything", everything),
        ):
            yield Choice(label, self._address(period=period), self.period == period)

    def tabs(self) -> Iterator[Choice]:
        for by in GroupBy:
            if not by.is_of_time:
                yield Choice(TABS[by], self._address(by=by) + "#by", by is self.by)

    def of_all_rows(self) -> str:
        return self._address(by=self.by, top=Top.ALL) + "#by"

    def csv(self, group_by: GroupBy) -> str:
        """The same numbers from the API."""
        both = {"from": self.period.from_, "to": self.period.to}
        moments = {name: rfc_3339(end) for name, end in both.items() if end is not None}
        return address_of("/v1/savings.csv", {**moments, "group_by": group_by.value})

    def _address(
        self, *, period: Period | None = None, by: GroupBy | None = None, top: Top = Top.FIRST
    ) -> str:
        """Another period goes with the grouping that fits it best, another table starts short."""
        shown = self.period if period is None else period
        asked = ends(shown.from_, shown.to)
        if self.group_by is not None and period is None:
            asked["group_by"] = self.group_by.value
        if (by or self.by) is not GroupBy.SITE:
            asked["by"] = (by or self.by).value
        if top is not Top.FIRST:
            asked["top"] = top.value
        return address_of("/", asked)


TABS = {
    GroupBy.SITE: "Site",
    GroupBy.METER_TYPE: "Meter type",
    GroupBy.MODEL: "Model",
    GroupBy.REASON: "Reason for keeping",
    GroupBy.SOURCE: "Source",
}


def selection_of(query: OverviewQuery) -> Selection:
    return Selection(Period(query.from_, query.to), query.group_by, query.by, query.top)


def everything(default_days: int) -> Period:
    """Where addresses without a period mean less than everything, it has to be asked for."""
    return Period() if default_days == 0 else _since(date(1970, 1, 1))


def words_of(period: Period) -> str:
    """As in `photos received from 1 Mar 2026 to 31 Mar 2026`."""
    first, to = period.from_, period.to
    if first is None:
        return "so far" if to is None else f"up to {_last_in_words(to)}"
    if to is None:
        return f"since {_in_words(first)}"
    return f"from {_in_words(first)} to {_last_in_words(to)}"


def last_day_before(to: datetime) -> date:
    """The last one that still counts; the calendar begins with a day that nothing is before."""
    ends_a_day = to.time() == time() and to.date() > date.min
    return to.date() - timedelta(days=1) if ends_a_day else to.date()


def _in_words(moment: datetime) -> str:
    time_of_day = "" if moment.time() == time() else f" {moment:%H:%M} UTC"
    return f"{moment.day} {moment:%b %Y}{time_of_day}"


def _last_in_words(to: datetime) -> str:
    last = last_day_before(to)
    return _in_words(to) if last == to.date() else _in_words(midnight(last))


def _since(first: date) -> Period:
    return Period(from_=midnight(first))
