"""What can be asked for in an address; a name that is not here is refused, not ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from service.api.fields import moment_of
from service.core.crop import Reason
from service.core.fields import MAX_NAME_CHARS
from service.core.record import PhotoFilter, Status
from service.core.savings import GroupBy

MAX_PAGE = 500


def _moment(text: object) -> object:
    """Stricter than pydantic, which reads a bare number as a time too."""
    return moment_of(text) if isinstance(text, str) else text


def _plain(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a NUL character is in no field")
    return text


Moment = Annotated[datetime, BeforeValidator(_moment)]
Name = Annotated[str, Field(max_length=MAX_NAME_CHARS), AfterValidator(_plain)]


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PeriodQuery(Query):
    from_: Annotated[Moment | None, Field(alias="from")] = None
    """Received at this moment or later."""
    to: Moment | None = None
    """Received before this moment."""


class SavingsQuery(PeriodQuery):
    group_by: GroupBy | None = None
    """Days, weeks (named by their Monday) and months are those of UTC."""


class PhotoQuery(PeriodQuery):
    meter_id: Name | None = None
    site: Name | None = None
    status: Status | None = None
    reason: Reason | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Name | None = None
    """The `next_cursor` of the page before."""

    @property
    def filter(self) -> PhotoFilter:
        return PhotoFilter(self.meter_id, self.site, self.status, self.reason, self.from_, self.to)
