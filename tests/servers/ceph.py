"""A whole Ceph cluster for the tests: one monitor, one disk in a sparse file, one S3 gateway.

Needs root and the packages that `.ci/ceph-setup` installs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from minio import Minio

from tests.servers.process import ServerProcess, free_port, port_answers, running

DISK_BYTES = 10 * 1024**3  # sparse: only what is written takes room

CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{monitor_port}
ms bind msgr1 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
crash dir = {folder}/crash
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
# Seconds of waiting that a cluster of one machine has no use for.
paxos propose interval = 0.05
paxos min wait = 0.01
osd client watch timeout = 2

[mon.a]
mon data = {folder}/mon

[osd.0]
osd data = {folder}/osd
osd objectstore = bluestore
bluestore block size = {disk_bytes}

[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{gateway_port} tcp_nodelay=1
rgw enable usage log = false
rgw gc max objs = 4
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything it owns lies in `folder`."""

    folder: Path
    fsid: str
    monitor_port: int
    gateway_port: int

    def run(self, program: str, *arguments: str) -> str:
        """What the program prints; raises RuntimeError with its complaint."""
        command = (program, "--conf", str(self.folder / "ceph.conf"), *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}{done.stdout}")
        return done.stdout

    def daemon(self, program: str, *arguments: str, port: int | None = None) -> ServerProcess:
        """In the foreground; ready when it listens on `port`, or at once where it has none."""
        return ServerProcess(
            (program, "-f", "--conf", str(self.folder / "ceph.conf"), *arguments),
            lambda: port is None or port_answers(port),
            self.folder / f"{program}.out",
        )


@contextmanager
def running_gateway(access_key: str, secret_key: str) -> Iterator[tuple[int, ServerProcess]]:
    """The gateway's port and its process, with a user of these keys; all gone at the end."""
    # Unix sockets' paths hold 107 characters, too few for pytest's own temporary folders.
    folder = Path(tempfile.mkdtemp(prefix="ceph-"))
    cluster = Cluster(folder, str(uuid4()), free_port(), free_port())
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _write_configuration(cluster)
        _make_keyrings(cluster)
        stack.enter_context(running(_monitor(cluster)))
        stack.enter_context(running(_disk(cluster)))
        _create_user(cluster, access_key, secret_key)
        gateway = cluster.daemon("radosgw", "--id", "rgw", port=cluster.gateway_port)
        stack.enter_context(running(gateway))
        _warm(cluster.gateway_port, access_key, secret_key)
        yield cluster.gateway_port, gateway


def _write_configuration(cluster: Cluster) -> None:
    text = CONFIGURATION.format(
        fsid=cluster.fsid,
        folder=cluster.folder,
        monitor_port=cluster.monitor_port,
        gateway_port=cluster.gateway_port,
        disk_bytes=DISK_BYTES,
    )
    (cluster.folder / "ceph.conf").write_text(text)
    for name in ("mon", "osd", "crash"):
        (cluster.folder / name).mkdir()


def _make_keyrings(cluster: Cluster) -> None:
    allow_all = ("--cap", "mon", "allow *", "--cap", "osd", "allow *")
    keyring = str(cluster.folder / "keyring")
    osd_keyring = str(cluster.folder / "osd" / "keyring")
    names = ("mon.", "client.admin", "client.rgw")
    for name in names:
        create = ("--create-keyring",) if name == names[0] else ()
        cluster.run("ceph-authtool", *create, "--gen-key", "--name", name, *allow_all, keyring)
    cluster.run(
        "ceph-authtool", "--create-keyring", "--gen-key", "--name", "osd.0", *allow_all, osd_keyring
    )
    cluster.run("ceph-authtool", keyring, "--import-keyring", osd_keyring)


def _monitor(cluster: Cluster) -> ServerProcess:
    map_file = str(cluster.folder / "monmap")
    address = f"[v2:127.0.0.1:{cluster.monitor_port}]"
    cluster.run(
        *("monmaptool", "--create", "--fsid", cluster.fsid, "--addv", "a", address, map_file)
    )
    keyring = str(cluster.folder / "keyring")
    cluster.run(*("ceph-mon", "--mkfs", "--id", "a", "--monmap", map_file, "--keyring", keyring))
    return cluster.daemon("ceph-mon", "--id", "a", port=cluster.monitor_port)


def _disk(cluster: Cluster) -> ServerProcess:
    """Registered with the monitor, formatted, not yet started."""
    uuid = str(uuid4())
    cluster.run("ceph", "osd", "new", uuid)
    cluster.run("ceph-osd", "--mkfs", "--id", "0", "--osd-uuid", uuid)
    return cluster.daemon("ceph-osd", "--id", "0")


def _create_user(cluster: Cluster, access_key: str, secret_key: str) -> None:
    """Waits for the disk by itself: the user is kept in a pool."""
    cluster.run(
        *("radosgw-admin", "--id", "rgw", "user", "create", "--uid", "tests"),
        *("--display-name", "tests", "--access-key", access_key, "--secret-key", secret_key),
    )


def _warm(port: int, access_key: str, secret_key: str) -> None:
    """The first put and the first multipart put each create a pool, which takes seconds."""
    client = Minio(
        f"127.0.0.1:{port}",
        access_key=access_key,
        secret_key=secret_key,
        secure=False,
        region="us-east-1",
    )
    client.make_bucket("warm-up")
    for length in (1, 6 * 1024 * 1024):
        client.put_object("warm-up", "object", BytesIO(os.urandom(length)), length)
        client.remove_object("warm-up", "object")
