"""What S3 stores and S3 archives share: names that the SDK can ask for, bodies as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minio import Minio
from urllib3 import BaseHTTPResponse


def checked_name(key: str) -> str:
    """The key, if the SDK can ask for it; raises ValueError saying why not.

    Any name that S3 knows is taken, empty segments too, since archives have them.
    """
    if not key.strip() or "\0" in key or {".", ".."} & set(key.split("/")):
        raise ValueError(f"a key is a path without . and .. segments and NUL: {key!r}")
    return key


@contextmanager
def answered(
    client: Minio,
    bucket: str,
    name: str,
    *,
    start: int = 0,
    length: int = 0,
    version_id: str = "",
) -> Iterator[BaseHTTPResponse]:
    """An S3 server's answer to a GET, not yet read; its connection is given back behind the block.

    A length of 0 is the whole object.
    """
    response = client.get_object(
        bucket, name, offset=start, length=length, version_id=version_id or None
    )
    try:
        if "etag" not in response.headers:
            raise ValueError("the answer is not S3's, it has no ETag")
        yield response
    finally:
        response.close()
        response.release_conn()


def body_of(response: BaseHTTPResponse) -> bytes:
    """The bytes as they are stored, whatever Content-Encoding they are labelled with."""
    return response.read(decode_content=False)
