"""Archives as their owners use them, beside metercrop and without asking it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

from minio import Minio

from service.adapters.archives import OpenedArchives
from tests.servers.s3 import PATIENCE, S3Server


class Owner(Protocol):
    """Whose archive it is; `root` is how metercrop addresses it."""

    @property
    def root(self) -> str: ...

    def put(self, key: str, content: bytes) -> None: ...

    def delete(self, key: str) -> None: ...

    def content(self, key: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FolderOwner:
    folder: Path

    @property
    def root(self) -> str:
        return f"file://{self.folder}"

    def put(self, key: str, content: bytes) -> None:
        """Always with another time than before, as a clock's tick may be longer than a test."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_bytes(content)
        if path.stat().st_mtime_ns == before:
            os.utime(path, ns=(before, before + 1))

    def delete(self, key: str) -> None:
        (self.folder / key).unlink()

    def content(self, key: str) -> bytes:
        return (self.folder / key).read_bytes()


@dataclass(frozen=True, slots=True)
class BucketOwner:
    client: Minio
    bucket: str

    @property
    def root(self) -> str:
        return f"s3://{self.bucket}"

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(self.bucket, key, BytesIO(content), len(content))

    def delete(self, key: str) -> None:
        self.client.remove_object(self.bucket, key)

    def content(self, key: str) -> bytes:
        return self.client.get_object(self.bucket, key).data


def archives_at(server: S3Server) -> OpenedArchives:
    """With the account of this server."""
    return OpenedArchives(server.account, PATIENCE)
