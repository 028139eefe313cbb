"""Someone's archive as jobs see it: objects under names that others gave them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from service.core.errors import RequestRejected
from service.core.fields import check_text

CROP_MARK = ".metercrop."
"""In the name of every crop that lies beside its source: `meter.jpg.metercrop.jpg`."""

MAX_LOCATION_BYTES = 2_500
"""Of root, key and version together; PostgreSQL indexes 2,700. S3's keys have 1,024 at most."""
KEPT_CHARS = 300
"""Of a root or key that is longer; each has four bytes at most."""
CUT = re.compile(r"\.\.\.[0-9a-f]{64}")

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
MAX_QUOTED = 200


@dataclass(frozen=True, slots=True)
class ArchivedObject:
    """What a listing or a look-up told of an object, at that moment.

    `root` is `s3://bucket` or `file:///folder`, without a slash at its end, and `key` the name
    below it; nothing is percent-encoded. An empty `version_id` is a store without versions; an
    empty `etag` an object that was named by somebody and not found.
    """

    root: str
    key: str
    bytes: int
    etag: str
    version_id: str = ""
    modified_at: datetime | None = None

    @property
    def location(self) -> str:
        return f"{self.root}/{self.key}"


def fit_for_a_list(found: ArchivedObject) -> ArchivedObject:
    """The same, or with a cut address where a job's list can't hold all of it.

    Such a one ends with the SHA-256 of the whole address, so no two become the same.
    """
    address = f"{found.location}\n{found.version_id}".encode("utf-8", "surrogatepass")
    if len(address) <= MAX_LOCATION_BYTES:
        return found
    root, key = found.root[:KEPT_CHARS].rstrip("/"), found.key[:KEPT_CHARS]
    return replace(found, root=root, key=f"{key}...{sha256(address).hexdigest()}", version_id="")


def is_cut(key: str) -> bool:
    """Whether `fit_for_a_list` made it."""
    return CUT.fullmatch(key[-67:]) is not None


def is_below(address: str, folders: Collection[str]) -> bool:
    """Whether the folder or file of a `file://` address is one of the folders, or lies in one."""
    path = f"{address.removeprefix('file://').rstrip('/')}/"
    return any(path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


class Removal(StrEnum):
    """What became of an object that was to be deleted."""

    GONE = "gone"
    LOCKED = "locked"
    """Object Lock or a legal hold keeps it."""
    MARKED = "marked"
    """A delete marker hides it in a versioned bucket; it is still stored, and paid for."""


def source_of(address: str) -> tuple[str, str]:
    """Root and key prefix of `s3://bucket/prefix`; of `file:///folder` the folder and "".

    Raises `RequestRejected` `field.invalid` that says what is wrong with the address.
    """
    if address.startswith("file://"):
        return f"file://{_path(address).removesuffix('/')}", ""
    return _bucket_and_key(address)


def object_of(address: str) -> tuple[str, str]:
    """Root and key of one object; a file's root is the folder that it lies in.

    Raises `RequestRejected` `field.invalid` that says what is wrong with the address.
    """
    if address.startswith("file://"):
        folder, _, key = _path(address).rpartition("/")
        root = f"file://{folder}"
    else:
        root, key = _bucket_and_key(address)
    if not key:
        raise _no_address(address, "it names no object")
    return root, key


def _bucket_and_key(address: str) -> tuple[str, str]:
    if not address.startswith("s3://"):
        raise _no_address(address, "it begins with neither s3:// nor file:///")
    bucket, _, key = address.removeprefix("s3://").partition("/")
    if not BUCKET.fullmatch(bucket):
        raise _no_address(address, f"{bucket[:MAX_QUOTED]!a} is no bucket's name")
    check_text("the address", address)
    return f"s3://{bucket}", key


def _path(address: str) -> str:
    """Absolute, and naming one place; a slash at its end stays."""
    path = address.removeprefix("file://")
    if not path.startswith("/"):
        raise _no_address(address, "a folder's begins with file:/// and names no host")
    if {"", ".", ".."} & set(path.removesuffix("/").split("/")[1:]):
        raise _no_address(address, "its path has an empty, . or .. segment")
    check_text("the address", address)
    return path


def _no_address(address: str, why: str) -> RequestRejected:
    return RequestRejected(
        "field.invalid",
        f"the address {address[:MAX_QUOTED]!a} can't be used: {why}; write s3://bucket/prefix "
        "or file:///folder, as it is and without percent-encoding",
    )
