"""What S3 stores and S3 archives share of writing: whether what was sent is what the server has."""

from __future__ import annotations

import hashlib

from minio.helpers import ObjectWriteResult


def arrived_whole(written: ObjectWriteResult, content: bytes) -> bool | None:
    """By the MD5 that the server took of what came; None where its answer does not tell one.

    That is so of a multipart upload, and where the server encrypts with keys of its own.
    """
    if not _etag_is_md5(written):
        return None
    return written.etag == hashlib.md5(content, usedforsecurity=False).hexdigest()


def _etag_is_md5(written: ObjectWriteResult) -> bool:
    headers = written.http_headers
    encrypted = headers.get("x-amz-server-side-encryption", "AES256") != "AES256"
    customer_key = "x-amz-server-side-encryption-customer-algorithm" in headers
    return len(written.etag or "") == 32 and not encrypted and not customer_key
