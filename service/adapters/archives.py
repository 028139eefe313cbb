"""Opens archives by their addresses, all buckets through one S3 client."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from minio import Minio
from minio.helpers import check_bucket_name

from service.adapters.archive_folder import FolderArchive
from service.adapters.archive_s3 import S3Archive
from service.adapters.folder import FolderStore
from service.adapters.s3 import S3Store
from service.adapters.s3_client import DEFAULT_PATIENCE, Patience, S3Account, s3_client_for
from service.core.archive import source_of
from service.core.errors import Misconfigured, RequestRejected
from service.ports import Archive, ObjectStore

NAMED_BY = "the address"


class OpenedArchives:
    """`Archives` with the account of the settings, None where they name none.

    The client is made when the first bucket is opened: whoever keeps photos in folders needs no
    account.
    """

    def __init__(self, account: S3Account | None, patience: Patience = DEFAULT_PATIENCE) -> None:
        self._account = account
        self._patience = patience
        self._lock = Lock()
        self._client: Minio | None = None
        self._buckets: dict[str, S3Archive] = {}

    def opened(self, root: str) -> Archive:
        """The archive of `s3://bucket` or `file:///folder`; raises `RequestRejected`."""
        folder = _folder(root)
        if folder is not None:
            return FolderArchive(folder)
        bucket = _bucket(root)
        client = self._shared_client(root)
        with self._lock:
            return self._buckets.setdefault(bucket, S3Archive(client, bucket))

    def store(self, root: str) -> ObjectStore:
        """The same as an object store; raises `RequestRejected`."""
        folder = _folder(root)
        if folder is not None:
            return FolderStore(folder, named_by=NAMED_BY)
        return S3Store(self._shared_client(root), _bucket(root), named_by=NAMED_BY)

    def _shared_client(self, root: str) -> Minio:
        with self._lock:
            if self._client is None:
                self._client = self._new_client(root)
            return self._client

    def _new_client(self, root: str) -> Minio:
        account = self._account or S3Account("", "", "", "", secure=True)
        try:
            return s3_client_for(root, account, self._patience)
        except Misconfigured as error:
            raise RequestRejected("field.invalid", str(error)) from error


def _folder(root: str) -> Path | None:
    """None where it is no folder's root; `file://` alone is the root of the disk."""
    if not root.startswith("file://"):
        return None
    source_of(f"{root}/")
    return Path(root.removeprefix("file://") or "/")


def _bucket(root: str) -> str:
    bucket = source_of(root)[0].removeprefix("s3://")
    try:
        check_bucket_name(bucket)
    except ValueError as error:
        raise RequestRejected(
            "field.invalid", f"the address {root!r} can't be used: {error}"
        ) from error
    return bucket
