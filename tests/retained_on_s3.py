"""The same as `tests.retained`, with all objects on a real S3 server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from service.core.archive import ArchivedObject
from service.ports import Ledger, ObjectStore
from service.usecases.places import OwnStore
from tests.retained import Keeping
from tests.servers.archives import BucketOwner, archives_at
from tests.servers.s3 import S3Server

PREFIX = "own photos/"


@dataclass(slots=True)
class KeepingOnS3(Keeping):
    """Its own store is a prefix of one bucket, the archive is another."""

    server: S3Server | None = None
    own_bucket: str = ""
    archive_bucket: str = ""

    @property
    def own(self) -> ObjectStore:
        return self._server.store(f"s3://{self.own_bucket}/{PREFIX}")

    @property
    def place(self) -> OwnStore:
        return OwnStore(f"s3://{self.own_bucket}", PREFIX)

    @property
    def owner(self) -> BucketOwner:
        return BucketOwner(self._server.client(), self.archive_bucket)

    def source(self, key: str, content: bytes) -> ArchivedObject:
        owner = self.owner
        owner.put(key, content)
        found = self.archives.opened(owner.root).find(key)
        assert found is not None
        return found

    @property
    def _server(self) -> S3Server:
        assert self.server is not None
        return self.server


def keeping_on(server: S3Server, ledger: Ledger) -> KeepingOnS3:
    """With two new buckets."""
    return KeepingOnS3(
        ledger,
        Path(),
        archives_at(server),
        server=server,
        own_bucket=server.new_bucket(),
        archive_bucket=server.new_bucket(),
    )
