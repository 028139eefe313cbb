"""The one place where a database's errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.core.errors import Unavailable


@contextmanager
def database_failures(url: URL) -> Iterator[None]:
    """Raises `Unavailable` `database.unavailable` where the database fails, with its cause.

    Values that the tables don't take stay what they are: a mistake of this program, which no
    retry heals and nobody should mistake for an outage.
    """
    try:
        yield
    except (DataError, IntegrityError):
        raise
    except (DBAPIError, PoolTimeout) as error:
        raise Unavailable(
            "database.unavailable",
            f"the database {place(url)} does not answer as it should ({_told_by(error)}); "
            "nothing was kept for certain, and trying again is safe",
        ) from error


def place(url: URL) -> str:
    """Where the database is, without user, password or options, which may hold secrets."""
    if url.get_backend_name() == "sqlite":
        return f"{url.database}"
    port = "" if url.port is None else f":{url.port}"
    return f"{url.database} at {url.host or 'its local socket'}{port}"


def _told_by(error: DBAPIError | PoolTimeout) -> str:
    """The vendor's own first line; SQLAlchemy's would show statement and parameters too."""
    vendor = error.orig if isinstance(error, DBAPIError) else error
    return (str(vendor).splitlines() or [type(vendor).__name__])[0]
