"""An archive in a bucket of any S3-compatible server: objects that somebody else named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from minio import Minio
from minio.datatypes import Object
from minio.error import MinioException, S3Error
from minio.helpers import ObjectWriteResult

from service.adapters import archive_refusals as refusals
from service.adapters.objects import MAX_KEY_BYTES, is_own
from service.adapters.s3_errors import code_of, outage
from service.adapters.s3_listing import newest_objects, newest_versions
from service.adapters.s3_reading import answered, body_of, checked_name
from service.adapters.s3_writing import arrived_whole, content_md5, md5_of
from service.core.archive import ArchivedObject, Removal
from service.core.errors import ObjectRejected

NO_VERSIONS = {"AccessDenied", "MethodNotAllowed", "NotImplemented"}
"""To the question whether a bucket has versions: a server, or an account, that can't tell."""

GONE = {"NoSuchKey", "NoSuchVersion"}
NO_SUCH_VERSION = {"InvalidArgument", "MethodNotAllowed", "NotImplemented"}
"""No id that this server gives; a delete marker's; a server that keeps no versions."""
DENIED = {"AccessDenied", "AllAccessDisabled", "InvalidObjectState", "InvalidRequest"}
"""The last two: it must be restored from an archive tier first; its key is the customer's."""
NO_NAME = {"InvalidArgument", "InvalidObjectName", "InvalidURI", "KeyTooLongError"}
SOMEBODY_WAS_FIRST = {"ConditionalRequestConflict", "PreconditionFailed"}

NULL = "null"
"""The version id of what was written while its bucket kept no versions."""


@dataclass(slots=True)
class S3Archive:
    """An `Archive` of all objects of a bucket."""

    client: Minio
    bucket: str
    _has_versions: bool | None = field(default=None, init=False, repr=False)
    """As the last listing found it."""
    _keeps_the_first: bool | None = field(default=None, init=False, repr=False)
    """Whether the server refuses to write over an object; None until one was written."""

    def objects(self, prefix: str = "", *, after: str = "") -> Iterator[ArchivedObject]:
        """As the port says; keys that nobody can ask for are listed too, a NUL as an escape."""
        with self._outage("list"):
            listing = newest_versions if self._keeps_versions() else newest_objects
            for found in listing(self.client, self.bucket, prefix=prefix, after=after):
                archived = self._archived(found, found.version_id or "")
                if not found.is_dir and not is_own(archived.key):
                    yield archived

    def find(self, key: str, *, version_id: str = "") -> ArchivedObject | None:
        with refusals.none_where_gone(), self._refusals("look up", key, version_id):
            found = self._looked_up(key, version_id)
            return self._archived(found, version_id or self._version_of(found))
        return None

    def read(self, found: ArchivedObject) -> bytes:
        with (
            self._refusals("read", found.key, found.version_id),
            answered(self.client, self.bucket, found.key, version_id=found.version_id) as response,
        ):
            headers = response.headers
            size, etag = int(headers.get("content-length", -1)), headers["etag"].replace('"', "")
            _require_unchanged(found, size, etag)
            return body_of(response)

    def create(self, key: str, content: bytes, *, media_type: str, read_back: bool = True) -> None:
        """As the port says; of two that write other bytes at once, one is refused.

        A server that knows no conditional writes keeps the later: then the earlier one finds
        other bytes when it reads its own back. Such a server is asked before each writing whether
        something is there; the others tell by refusing.
        """
        with self._refusals("write", key):
            if not self._keeps_the_first and self._holds(key, content):
                return
            md5 = md5_of(content)
            headers = {"Content-Type": media_type, "If-None-Match": "*", **content_md5(md5)}
            written = self._written(key, content, headers)
            if written is not None and self._keeps_the_first is None:
                self._keeps_the_first = self._is_refused_again(key, content, headers)
            if written is None:
                kept = self._holds(key, content)
            elif read_back or (whole := arrived_whole(written, md5)) is None:
                kept = self._reads_back(key, content)
            else:
                kept = whole
        if not kept:
            raise refusals.other_bytes_came_back(self._location(key))

    def delete(self, found: ArchivedObject) -> Removal:
        """As the port says; whether the version is still there is not guessed, but looked at."""
        key = found.key
        with refusals.none_where_gone(), self._refusals("delete", key):
            newest = self._looked_up(key, "")
            version_id = newest.version_id or (NULL if self._keeps_versions() else "")
            if found.version_id not in ("", version_id):
                raise refusals.changed(found, f"a newer version, {version_id or 'unnamed'},")
            _require_unchanged(found, newest.size, newest.etag)
            if _is_locked(newest.metadata or {}) or not self._removed(key):
                return Removal.LOCKED
            return self._what_is_left(key, version_id)
        return self._what_is_left(key, found.version_id)

    def _holds(self, key: str, content: bytes) -> bool:
        """False where there is nothing; raises `object.exists` where there is something else."""
        with refusals.none_where_gone(), self._refusals("read", key):
            if self._is_there(key):
                self._require_same(key, content)
                return True
        return False

    def _is_there(self, key: str) -> bool:
        """Nearly always there is nothing, and a HEAD tells so in a few bytes.

        A missing bucket looks the same, and writing tells; what else is wrong, a GET does.
        """
        try:
            self.client.stat_object(self.bucket, key)
        except MinioException as error:
            return code_of(error) not in GONE
        return True

    def _require_same(self, key: str, content: bytes) -> None:
        with answered(self.client, self.bucket, key) as response:
            as_long = response.headers.get("content-length") == str(len(content))
            if not as_long or body_of(response) != content:
                raise refusals.exists(self._location(key))

    def _written(
        self, key: str, content: bytes, headers: Mapping[str, str]
    ) -> ObjectWriteResult | None:
        """None where somebody else was first."""
        try:
            return self.client._put_object(  # noqa: SLF001  put_object sends no conditions
                self.bucket,
                key,
                content,
                headers=dict(headers),  # it adds its own
            )
        except MinioException as error:
            if code_of(error) not in SOMEBODY_WAS_FIRST:
                raise
        return None

    def _is_refused_again(self, key: str, content: bytes, headers: Mapping[str, str]) -> bool:
        """Whether the server heeds the condition, found by writing the very same once more.

        Not where that might leave a version behind; Ceph heeds it in buckets without them alone.
        """
        return not self._keeps_versions() and self._written(key, content, headers) is None

    def _reads_back(self, key: str, content: bytes) -> bool:
        with (
            refusals.none_where_gone(),
            self._refusals("read back", key),
            answered(self.client, self.bucket, key) as response,
        ):
            return body_of(response) == content
        return False

    def _removed(self, key: str) -> bool:
        """Deleted, or behind a delete marker; False where a lock forbids it.

        No condition is sent along, as few servers know one here: what somebody writes within the
        milliseconds since it was looked at is lost where the bucket keeps no versions.
        """
        try:
            self.client.remove_object(self.bucket, key)
        except MinioException as error:
            if not _tells_of_a_lock(error):
                raise
            return False
        return True

    def _what_is_left(self, key: str, version_id: str) -> Removal:
        """Of an object that is no longer the newest of its key."""
        if not version_id:
            return Removal.GONE
        try:
            with refusals.none_where_gone(), self._refusals("look up", key, version_id):
                left = self._looked_up(key, version_id)
                return Removal.LOCKED if _is_locked(left.metadata or {}) else Removal.MARKED
        except ObjectRejected:  # a version that may not be looked at is not taken for gone
            return Removal.MARKED
        return Removal.GONE

    def _looked_up(self, key: str, version_id: str) -> Object:
        try:
            found = self.client.stat_object(self.bucket, key, version_id=version_id or None)
        except MinioException:
            # The answer to a HEAD has no body, that to a GET says what is wrong.
            with answered(self.client, self.bucket, key, length=1, version_id=version_id):
                raise
        if version_id not in ("", found.version_id or NULL):  # a server that keeps no versions
            raise refusals.gone(self._location(key))
        return found

    def _version_of(self, newest: Object) -> str:
        """Ceph names all versions but those from before the bucket kept any."""
        if newest.version_id:
            return newest.version_id
        keeps = self._has_versions
        return NULL if (self._keeps_versions() if keeps is None else keeps) else ""

    def _keeps_versions(self) -> bool:
        """Also where it no longer does, but older objects may have some."""
        try:
            status = self.client.get_bucket_versioning(self.bucket).status
        except MinioException as error:
            if code_of(error) not in NO_VERSIONS:
                raise
            status = None
        self._has_versions = status is not None
        return self._has_versions

    def _location(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def _archived(self, found: Object, version_id: str) -> ArchivedObject:
        key, size, etag = found.object_name, found.size, found.etag
        if key is None or size is None or etag is None:
            raise ValueError("the server describes an object without name, size or ETag")
        return ArchivedObject(
            f"s3://{self.bucket}",
            key.replace("\0", "\\x00"),
            size,
            etag,
            version_id,
            found.last_modified,
        )

    def _outage(self, task: str) -> AbstractContextManager[None]:
        return outage(task, bucket=self.bucket, named_by="the job's address")

    @contextmanager
    def _refusals(self, task: str, key: str, version_id: str = "") -> Iterator[None]:
        """What is wrong with this object alone; all else is the whole bucket's."""
        location = self._location(key)
        _require_name(key, location)
        with self._outage(f"{task} {key!r}"):
            try:
                yield
            except MinioException as error:
                code = code_of(error) or ""
                if code in GONE or (version_id and code in NO_SUCH_VERSION):
                    raise refusals.gone(location) from error
                if code in DENIED or code.startswith("KMS."):
                    raise refusals.denied(task, location, code) from error
                if code in NO_NAME:
                    raise refusals.unaddressable(location, code) from error
                raise


def _require_name(key: str, location: str) -> None:
    try:
        checked_name(key)
        if len(key.encode()) > MAX_KEY_BYTES:
            raise ValueError(f"it has more than {MAX_KEY_BYTES} bytes")
    except ValueError as error:
        raise refusals.unaddressable(location, error) from error


def _require_unchanged(found: ArchivedObject, size: int | None, etag: str | None) -> None:
    if (size, etag) != (found.bytes, found.etag):
        raise refusals.changed(found, refusals.described(size, etag))


def _tells_of_a_lock(error: MinioException) -> bool:
    if code_of(error) == "ObjectLocked":
        return True
    message = error.message if isinstance(error, S3Error) else None
    return code_of(error) == "AccessDenied" and "lock" in (message or "").lower()


def _is_locked(headers: Mapping[str, str]) -> bool:
    """By legal hold, or until a time to come; one that can't be read is taken to be."""
    if headers.get("x-amz-object-lock-legal-hold", "").upper() == "ON":
        return True
    until = headers.get("x-amz-object-lock-retain-until-date")
    if until is None:
        return False
    try:
        moment = datetime.fromisoformat(until)  # Ceph's has nanoseconds, which the SDK can't read
    except ValueError:
        return True
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > datetime.now(UTC)
