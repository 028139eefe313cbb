"""What S3 stores and S3 archives share of writing: whether what was sent is what the server has."""

from __future__ import annotations

import hashlib
from base64 import b64encode

from minio.helpers import ObjectWriteResult


def md5_of(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def content_md5(md5: bytes) -> dict[str, str]:
    """The header by which a server refuses other bytes (RFC 1864); over TLS the SDK adds one."""
    return {"Content-MD5": b64encode(md5).decode()}


def arrived_whole(written: ObjectWriteResult, md5: bytes) -> bool | None:
    """By the MD5 that the server took of what came; None where its answer does not tell one.

    That is so of a multipart upload, and where the server encrypts with keys of its own.
    """
    return written.etag == md5.hex() if _etag_is_md5(written) else None


def _etag_is_md5(written: ObjectWriteResult) -> bool:
    headers = written.http_headers
    encrypted = headers.get("x-amz-server-side-encryption", "AES256") != "AES256"
    customer_key = "x-amz-server-side-encryption-customer-algorithm" in headers
    return len(written.etag or "") == 32 and not encrypted and not customer_key
