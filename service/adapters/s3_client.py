"""The minio SDK's client as this program wants it: own connection pool, timeouts and retries."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import certifi
from minio import Minio
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ReadTimeoutError

from service.core.errors import Misconfigured

MAX_IDLE_CONNECTIONS = 64
"""More threads than that still work, each over that number with a connection of its own."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a connection, and for a server that says nothing."""

    connect_s: float = 5.0
    read_s: float = 60.0


DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class S3Account:
    """Whom to ask, and as whom; `endpoint` is host or host:port."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    """Given, it spares a look-up of the bucket's location before the first request."""
    secure: bool


def s3_client(account: S3Account, patience: Patience = DEFAULT_PATIENCE) -> Minio:
    """Safe to share between threads, not over a fork; raises ValueError for an unreadable part."""
    if not account.endpoint:
        raise ValueError("no endpoint is set")
    return Minio(
        account.endpoint,
        access_key=account.access_key,
        secret_key=account.secret_key,
        region=account.region or None,
        secure=account.secure,
        http_client=PoolManager(
            timeout=Timeout(connect=patience.connect_s, read=patience.read_s),
            retries=idempotent_retries(),
            maxsize=MAX_IDLE_CONNECTIONS,
            ssl_context=_trust() if account.secure else None,
        ),
    )


def s3_client_for(address: str, account: S3Account, patience: Patience = DEFAULT_PATIENCE) -> Minio:
    """The client for an `s3://` address; raises `Misconfigured` that names the variable."""
    if not (account.access_key and account.secret_key):
        raise Misconfigured(
            "settings.s3_access_key",
            f"{address} needs METERCROP_S3_ACCESS_KEY and METERCROP_S3_SECRET_KEY; set both",
        )
    try:
        return s3_client(account, patience)
    except ValueError as error:
        raise Misconfigured(
            "settings.s3_endpoint",
            f"METERCROP_S3_ENDPOINT is {account.endpoint!r} and METERCROP_S3_REGION "
            f"{account.region!r}: {error}; an endpoint is host or host:port, without http:// "
            "(METERCROP_S3_SECURE says which)",
        ) from error


class HangsAreFinal(Retry):
    """A server that was silent for the whole read timeout is not asked again, and waited for again.

    A dropped connection is: the other side may just have closed an idle one.
    """

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def idempotent_retries() -> Retry:
    """For what may be sent twice without harm, and quick enough for someone who waits.

    PUT is among it since keys are content addressed: the second put writes the same bytes. POST,
    which begins and completes multipart uploads, is not: its caller puts the whole object again.
    """
    return HangsAreFinal(
        total=2,
        connect=1,
        read=1,
        redirect=False,  # signed requests can't follow, and a login page is no photo
        allowed_methods=frozenset({"GET", "HEAD", "PUT", "DELETE"}),
        status_forcelist=(500, 502, 503, 504),
        backoff_factor=0.2,
        raise_on_status=False,  # the SDK then reads the server's own reason
        respect_retry_after_header=False,  # it may say minutes: the caller decides on those
    )


def _trust() -> ssl.SSLContext:
    """The system's authorities, which an operator can add to, and the public ones in any image."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
