"""What the minio SDK, urllib3 and the sockets under them raise, as `Unavailable` with advice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error
from urllib3.exceptions import HTTPError, SSLError

from service.core.errors import Unavailable

FAILURES = (MinioException, HTTPError, OSError, ValueError, ParseError)
"""ValueError and ParseError are the SDK's for an answer that is not S3's."""

MAX_QUOTED = 400
"""Characters of a foreign message; a proxy's page may be long."""

MISSING_KEY = "NoSuchKey"
RANGE_BEYOND_END = "InvalidRange"

REFUSED = {
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidSecurity",
    "SignatureDoesNotMatch",
}
ELSEWHERE = {"AuthorizationHeaderMalformed", "PermanentRedirect", "Redirect"}


@contextmanager
def outage(task: str, *, bucket: str, named_by: str) -> Iterator[None]:
    """Whatever goes wrong on the way to the server becomes `Unavailable` with its cause.

    `named_by` is what its user named the bucket by, for advice.
    """
    try:
        yield
    except FAILURES as error:
        raise _unavailable(task, bucket, _diagnosis(error, named_by)) from error


def code_of(error: MinioException) -> str | None:
    """S3's own error code, also where the server labels its XML text/xml, as rclone does.

    None where the answer is not S3's: a proxy's error page is no missing object.
    """
    if isinstance(error, S3Error):
        return error.code
    if isinstance(error, InvalidResponseError):
        found = re.search(r"<Error>.*<Code>(\w+)</Code>", str(error), re.DOTALL)
        return found[1] if found else None
    return None


def no_such_bucket(task: str, *, bucket: str, named_by: str) -> Unavailable:
    return _unavailable(task, bucket, _create_it(named_by))


def _unavailable(task: str, bucket: str, diagnosis: str) -> Unavailable:
    return Unavailable("store.unavailable", f"could not {task} in bucket {bucket!r}: {diagnosis}")


def _create_it(named_by: str) -> str:
    return f"the bucket does not exist: create it, or correct {named_by}"


def _diagnosis(error: Exception, named_by: str) -> str:
    """What happened and what to do."""
    code = code_of(error) if isinstance(error, MinioException) else None
    if code == "NoSuchBucket":
        return _create_it(named_by)
    if code in REFUSED:
        return (
            f"the server refused the credentials ({code}): check METERCROP_S3_ACCESS_KEY and "
            "METERCROP_S3_SECRET_KEY, and that they may list, read, write and delete there"
        )
    if code in ELSEWHERE:
        return f"the bucket is in another region ({code}): check METERCROP_S3_REGION"
    if code == "RequestTimeTooSkewed":
        return "the server's clock and this machine's differ too much: set them"
    if isinstance(_innermost(error), SSLError):
        return (
            f"no trusted TLS connection ({error}): check METERCROP_S3_SECURE, and the server's "
            "certificate (SSL_CERT_FILE adds an authority)"
        )
    said = str(error)[:MAX_QUOTED]
    return f"{said}; check that the server of METERCROP_S3_ENDPOINT runs and is reachable"


def _innermost(error: Exception) -> object:
    """urllib3's `MaxRetryError` carries what it gave up on."""
    return getattr(error, "reason", error)
