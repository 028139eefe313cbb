"""Objects in a bucket of any S3-compatible server, through the minio SDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

from minio import Minio
from minio.datatypes import Object
from minio.error import MinioException
from minio.helpers import ObjectWriteResult, check_bucket_name

from service.adapters.objects import checked_key, checked_range, is_own, round_trip
from service.adapters.s3_client import DEFAULT_PATIENCE, Patience, S3Account, s3_client_for
from service.adapters.s3_errors import (
    MISSING_KEY,
    RANGE_BEYOND_END,
    code_of,
    no_such_bucket,
    outage,
)
from service.adapters.s3_reading import answered, body_of, checked_name
from service.adapters.s3_writing import arrived_whole, md5_of
from service.core.errors import Misconfigured, Unavailable
from service.ports import StoredObject

PART_BYTES = 16 * 1024 * 1024
"""Larger objects are sent in parts of this size; a photo is nearly always a single request."""

MAX_PRESIGNED = timedelta(days=7)  # what Signature Version 4 allows


@dataclass(frozen=True, slots=True)
class S3Store:
    """An `ObjectStore` of the objects below `prefix`, which is empty or ends with a slash.

    Reads take any name that S3 and the SDK know, empty segments too, since archives have them;
    writes only keys that any store can hold.
    """

    client: Minio
    bucket: str
    prefix: str = ""
    named_by: str = "METERCROP_STORE_URL"
    """What its user set to name it, for advice."""

    def put(self, key: str, content: bytes, *, media_type: str) -> None:
        """Checked on arrival: the server's MD5 against ours, or the length where it has none."""
        name = self._name(checked_key(key))
        with self._outage(f"write {key!r}"):
            written = self.client.put_object(
                self.bucket,
                name,
                BytesIO(content),
                len(content),
                content_type=media_type,
                part_size=PART_BYTES,
                num_parallel_uploads=1,
            )
        if not self._arrived(key, content, written):
            raise Unavailable(
                "store.unavailable",
                f"the server keeps other bytes under {key!r} than it was sent: put it again, and "
                "check the network and the storage where that repeats",
            )

    def get(self, key: str) -> bytes | None:
        name = self._name(key)
        with self._outage(f"read {key!r}"), _none_on(MISSING_KEY):
            return self._body(name, start=0, length=0)
        return None

    def get_range(self, key: str, *, start: int, length: int) -> bytes | None:
        """As the port says; a range that begins at the object's end or beyond is empty."""
        checked_range(start, length)
        name = self._name(key)
        if length == 0:
            return None if self.head(key) is None else b""
        with self._outage(f"read {key!r}"), _none_on(MISSING_KEY):
            with _none_on(RANGE_BEYOND_END):
                return self._body(name, start=start, length=length)
            return b""
        return None

    def head(self, key: str) -> StoredObject | None:
        name, task = self._name(key), f"look up {key!r}"
        with self._outage(task):
            with _none_on(MISSING_KEY):
                return self._stored(self.client.stat_object(self.bucket, name))
            # A HEAD's 404 has no body to say what is missing: a bucket, or a whole S3 server.
            if self.client.bucket_exists(self.bucket):
                return None
        raise no_such_bucket(task, bucket=self.bucket, named_by=self.named_by)

    def delete(self, key: str) -> None:
        name = self._name(key)
        with self._outage(f"delete {key!r}"), _none_on(MISSING_KEY):
            self.client.remove_object(self.bucket, name)

    def objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """As the port says, a page of a thousand at a time; folder markers are no objects."""
        with self._outage("list"):
            for found in self.client.list_objects(
                self.bucket, prefix=self.prefix + prefix, recursive=True
            ):
                stored = self._stored(found)
                if not found.is_dir and not is_own(stored.key):
                    yield stored

    def presigned_url(self, key: str, *, expires_in: timedelta) -> str | None:
        """Serves whoever has it for one second to seven days, else ValueError; asks no server."""
        if not timedelta(seconds=1) <= expires_in <= MAX_PRESIGNED:
            raise ValueError(f"an address holds for 1 s to 7 days, not for {expires_in}")
        name = self._name(key)
        with self._outage(f"sign an address for {key!r}"):
            return self.client.presigned_get_object(self.bucket, name, expires=expires_in)

    def check(self) -> None:
        round_trip(self)

    def _name(self, key: str) -> str:
        return self.prefix + checked_name(key)

    def _outage(self, task: str) -> AbstractContextManager[None]:
        return outage(task, bucket=self.bucket, named_by=self.named_by)

    def _body(self, name: str, *, start: int, length: int) -> bytes:
        with answered(self.client, self.bucket, name, start=start, length=length) as response:
            content = body_of(response)
        if length and "content-range" not in response.headers:  # a server that knows no ranges
            return content[start : start + length]
        return content

    def _arrived(self, key: str, content: bytes, written: ObjectWriteResult) -> bool:
        whole = arrived_whole(written, md5_of(content))
        if whole is not None:
            return whole
        found = self.head(key)
        return found is not None and found.bytes == len(content)

    def _stored(self, found: Object) -> StoredObject:
        if found.object_name is None or found.size is None or found.last_modified is None:
            raise ValueError("the server describes an object without name, size or time")
        return StoredObject(
            found.object_name.removeprefix(self.prefix), found.size, found.last_modified
        )


def s3_store_from(url: str, account: S3Account, patience: Patience = DEFAULT_PATIENCE) -> S3Store:
    """The store of `s3://bucket/prefix`; asks no server; raises `Misconfigured` `settings.*`."""
    bucket, prefix = _bucket_and_prefix(url)
    return S3Store(s3_client_for(url, account, patience), bucket, prefix)


def _bucket_and_prefix(url: str) -> tuple[str, str]:
    """`s3://bucket/a/b` is ("bucket", "a/b/"); nothing is percent-decoded, as S3's tools do it."""
    try:
        if not url.startswith("s3://"):
            raise ValueError("it does not begin with s3://")
        bucket, _, path = url.removeprefix("s3://").partition("/")
        check_bucket_name(bucket, strict=True)
        path = path.removesuffix("/")
        return bucket, checked_key(path) + "/" if path else ""
    except ValueError as error:
        raise Misconfigured(
            "settings.store_url",
            f"the address {url!r} is not s3://bucket or s3://bucket/prefix: {error}",
        ) from error


@contextmanager
def _none_on(code: str) -> Iterator[None]:
    """Goes on behind the block where the server answers with this code."""
    try:
        yield
    except MinioException as error:
        if code_of(error) != code:
            raise
