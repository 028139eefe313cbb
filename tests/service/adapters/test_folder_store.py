"""What a folder does beyond the contract: survives crashes, full disks and lost mounts."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

import pytest

from service.adapters.folder import FolderStore
from service.adapters.folder_files import LEFTOVER_AGE_S
from service.core.errors import Unavailable

JPEG = "image/jpeg"
CONTENT_BYTES = 16_000_000
NOBODY = 65534

ENDLESS_WRITER = """
import sys
from pathlib import Path
from service.adapters.folder import FolderStore
store = FolderStore(Path(sys.argv[1]))
for turn in range(100_000):
    store.put("same/key.jpg", bytes([turn % 2]) * int(sys.argv[2]), media_type="image/jpeg")
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    root = tmp_path / "objects"
    root.mkdir()
    return FolderStore(root)


def partial_files(store: FolderStore) -> list[Path]:
    return list(store.root.rglob("*.part"))


def kill_writer_in_the_middle(root: Path) -> None:
    """SIGKILL as soon as a file is being written, so that no code of the writer's runs after it."""
    command = [sys.executable, "-c", ENDLESS_WRITER, str(root), str(CONTENT_BYTES)]
    with subprocess.Popen(command, cwd=Path.cwd()) as writer:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and writer.poll() is None:
            complete = (root / "same/key.jpg").exists()
            if complete and list(root.glob("same/*.part")):
                break
        writer.send_signal(signal.SIGKILL)


def test_writer_killed_in_the_middle_leaves_the_object_before_and_nothing_listed(
    store: FolderStore,
) -> None:
    for _ in range(20):
        kill_writer_in_the_middle(store.root)
        content = store.get("same/key.jpg")
        assert content in (bytes(CONTENT_BYTES), b"\1" * CONTENT_BYTES)
        assert [found.key for found in store.objects()] == ["same/key.jpg"]
        if partial_files(store):
            break
    assert partial_files(store), "no kill of twenty hit a write: the test proved nothing"


def test_leftovers_of_long_ago_are_removed_and_those_of_now_are_left_to_their_writer(
    store: FolderStore,
) -> None:
    store.put("a/b.jpg", b"1", media_type=JPEG)
    old, new = store.root / "a/.metercrop-old.part", store.root / "a/.metercrop-new.part"
    for path in (old, new):
        path.write_bytes(b"half")
    long_ago = time.time() - LEFTOVER_AGE_S - 60
    os.utime(old, (long_ago, long_ago))
    assert [found.key for found in store.objects()] == ["a/b.jpg"]
    assert partial_files(store) == [new]


def test_put_syncs_the_file_before_it_takes_its_name_and_the_folder_after(
    store: FolderStore,
) -> None:
    store.put("a/first.jpg", b"1", media_type=JPEG)
    with system_calls("fsync", "replace") as calls:
        store.put("a/second.jpg", b"2", media_type=JPEG)
    assert calls == ["fsync", "replace", "fsync"]


def test_put_syncs_the_names_of_new_folders_too(store: FolderStore) -> None:
    with system_calls("fsync", "mkdir") as calls:
        store.put("a/b/c.jpg", b"1", media_type=JPEG)
    assert calls == ["mkdir", "fsync", "mkdir", "fsync", "fsync", "fsync"]


def test_delete_is_synced(store: FolderStore) -> None:
    store.put("a/b.jpg", b"1", media_type=JPEG)
    with system_calls("fsync", "unlink") as calls:
        store.delete("a/b.jpg")
    assert calls == ["unlink", "fsync"]


@contextmanager
def system_calls(*names: str) -> Iterator[list[str]]:
    """The calls of these functions of `os` as the interpreter makes them, in order."""
    watched = {getattr(os, name): name for name in names}
    calls: list[str] = []

    def note(_frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and called in watched:
            calls.append(watched[called])

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def test_stored_file_has_the_permissions_that_the_umask_leaves(store: FolderStore) -> None:
    before = os.umask(0o027)
    try:
        store.put("a/b.jpg", b"1", media_type=JPEG)
    finally:
        os.umask(before)
    assert (store.root / "a/b.jpg").stat().st_mode & 0o777 == 0o640
    assert (store.root / "a").stat().st_mode & 0o777 == 0o750


def test_full_disk_is_an_outage_that_leaves_nothing_behind(store: FolderStore) -> None:
    store.put("a/b.jpg", b"the one before", media_type=JPEG)
    with largest_file(4096), pytest.raises(Unavailable, match="make room") as caught:
        store.put("a/b.jpg", bytes(100_000), media_type=JPEG)
    assert caught.value.code == "store.unavailable"
    assert store.get("a/b.jpg") == b"the one before"
    assert partial_files(store) == []


def test_name_that_a_folder_has_is_an_outage_that_leaves_nothing_behind(
    store: FolderStore,
) -> None:
    store.put("a/b/c.jpg", b"1", media_type=JPEG)
    with pytest.raises(Unavailable):
        store.put("a/b", b"2", media_type=JPEG)
    assert store.get("a/b/c.jpg") == b"1"
    assert partial_files(store) == []


@contextmanager
def largest_file(limit_bytes: int) -> Iterator[None]:
    """The kernel refuses to write beyond, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_folder_that_may_not_be_written_says_so(store: FolderStore) -> None:
    store.root.chmod(0o555)
    with unprivileged(), pytest.raises(Unavailable, match=r"let user \d+ read and write"):
        store.put("a.jpg", b"1", media_type=JPEG)


def test_object_that_may_not_be_read_is_an_outage_and_not_missing(store: FolderStore) -> None:
    store.put("a/b.jpg", b"1", media_type=JPEG)
    (store.root / "a").chmod(0)
    with unprivileged():
        for question in (store.get, store.head, store.delete):
            with pytest.raises(Unavailable, match="Permission denied"):
                question("a/b.jpg")
        with pytest.raises(Unavailable, match="Permission denied"):
            list(store.objects())
    (store.root / "a").chmod(0o755)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Permissions mean nothing to root."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


def test_folder_that_is_not_mounted_is_an_outage_and_not_empty(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "not-mounted")
    for question in (store.get, store.head, store.delete):
        with pytest.raises(Unavailable, match="is not there: mount or create it"):
            question("a/b.jpg")
    with pytest.raises(Unavailable, match="is not there"):
        list(store.objects())


def test_first_put_creates_the_folder(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "new" / "objects")
    store.check()
    store.put("a/b.jpg", b"1", media_type=JPEG)
    assert store.get("a/b.jpg") == b"1"


def test_key_below_another_object_is_refused_by_the_file_system_and_said(
    store: FolderStore,
) -> None:
    store.put("a", b"1", media_type=JPEG)
    with pytest.raises(Unavailable, match="could not write 'a/b'"):
        store.put("a/b", b"2", media_type=JPEG)
    assert store.get("a") == b"1"


def test_links_are_not_listed(store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.jpg").write_bytes(b"secret")
    (store.root / "folder").symlink_to(tmp_path / "outside")
    (store.root / "file.jpg").symlink_to(tmp_path / "outside/secret.jpg")
    (store.root / "loop").symlink_to(store.root)
    store.put("real.jpg", b"1", media_type=JPEG)
    assert [found.key for found in store.objects()] == ["real.jpg"]


def test_folder_has_no_presigned_addresses(store: FolderStore) -> None:
    store.put("a.jpg", b"1", media_type=JPEG)
    assert store.presigned_url("a.jpg", expires_in=timedelta(minutes=1)) is None
