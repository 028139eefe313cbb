"""What a folder of somebody's files does beyond the contract."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from service.adapters.archive_folder import FolderArchive, _moment
from service.core.archive import ArchivedObject, Removal
from service.core.errors import ObjectRejected, Unavailable

JPEG = "image/jpeg"
NOBODY = 65534

CREATE_WITHOUT_HARD_LINKS = """
import errno, os, sys
from pathlib import Path
from service.adapters.archive_folder import FolderArchive, _named
from service.core.errors import ObjectRejected

def refuse_links(event, _arguments):
    if event == "os.link":
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

sys.addaudithook(refuse_links)
archive = FolderArchive(Path(sys.argv[1]))
archive.create("new/a.jpg", b"created", media_type="image/jpeg")
archive.create("new/a.jpg", b"created", media_type="image/jpeg")
try:
    archive.create("new/a.jpg", b"another", media_type="image/jpeg")
except ObjectRejected as error:
    print(error.code)
late = Path(sys.argv[1], "late")
late.write_bytes(b"late")
print(_named(late, Path(sys.argv[1], "new/a.jpg")))
late.unlink()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.fixture
def archive(folder: Path) -> FolderArchive:
    return FolderArchive(folder)


@pytest.fixture
def shared() -> Iterator[Path]:
    """Others can get there, which pytest's own folders keep them from."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def put(folder: Path, key: str, content: bytes = b"12345") -> Path:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def found(archive: FolderArchive, key: str) -> ArchivedObject:
    found = archive.find(key)
    assert found is not None
    return found


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refused(code: str) -> pytest.RaisesExc[ObjectRejected]:
    return pytest.raises(ObjectRejected, check=lambda error: error.code == code)


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


def test_etag_is_size_and_time_of_change(folder: Path, archive: FolderArchive) -> None:
    os.utime(put(folder, "a.jpg"), ns=(0, 0x123456789))
    assert found(archive, "a.jpg").etag == "5-123456789"


def test_file_that_was_only_touched_counts_as_changed(folder: Path, archive: FolderArchive) -> None:
    path = put(folder, "a.jpg")
    before = found(archive, "a.jpg")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with refused("object.changed"):
        archive.read(before)
    with refused("object.changed"):
        archive.delete(before)


def test_file_that_changes_while_it_is_read_has_changed(
    folder: Path, archive: FolderArchive
) -> None:
    path = put(folder, "a.jpg")
    before = found(archive, "a.jpg")

    def change_after_the_first_look(_frame: FrameType, event: str, called: object) -> None:
        if event == "c_return" and called is os.fstat:
            sys.setprofile(None)
            path.write_bytes(b"54321")
            os.utime(path, ns=(0, 1))

    sys.setprofile(change_after_the_first_look)
    try:
        with refused("object.changed"):
            archive.read(before)
    finally:
        sys.setprofile(None)
    assert path.read_bytes() == b"54321"


def test_time_that_no_calendar_has_is_left_out() -> None:
    far_off = os.stat_result((0o100644, 0, 0, 1, 0, 0, 5, 0, 10**15, 0))  # few disks take it
    assert _moment(far_off) is None


def test_links_are_neither_listed_nor_read_nor_replaced(
    folder: Path, archive: FolderArchive, tmp_path: Path
) -> None:
    outside = put(tmp_path, "outside/secret.jpg", b"secret")
    (folder / "folder").symlink_to(outside.parent)
    (folder / "file.jpg").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    put(folder, "real.jpg")
    assert [listed.key for listed in archive.objects()] == ["real.jpg"]
    assert archive.find("file.jpg") is None
    with refused("object.gone"):
        archive.read(ArchivedObject(f"file://{folder}", "file.jpg", 6, found_etag(outside)))
    with refused("object.exists"):
        archive.create("file.jpg", b"secret", media_type=JPEG)


def found_etag(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


def test_what_took_a_files_place_is_not_read(folder: Path, archive: FolderArchive) -> None:
    path = put(folder, "a.jpg")
    before = found(archive, "a.jpg")
    path.unlink()
    os.mkfifo(path)
    with refused("object.changed"):
        archive.read(before)
    path.unlink()
    path.mkdir()
    with refused("object.gone"):
        archive.read(before)
    assert archive.find("a.jpg") is None


def test_version_is_never_there(folder: Path, archive: FolderArchive) -> None:
    put(folder, "a.jpg")
    named = ArchivedObject(f"file://{folder}", "a.jpg", 5, "etag", version_id="1")
    with refused("object.gone"):
        archive.read(named)


def test_name_that_is_no_utf_8_is_listed_and_refused_alone(
    folder: Path, archive: FolderArchive
) -> None:
    (folder / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"1")
    (listed,) = archive.objects()
    listed.location.encode()
    with refused("object.unaddressable"):
        archive.read(listed)


def test_file_that_may_not_be_read_is_refused_alone(shared: Path) -> None:
    archive = FolderArchive(shared)
    put(shared, "a/forbidden.jpg").chmod(0)
    put(shared, "b.jpg")
    (shared / "a").chmod(0o555)
    with unprivileged():
        forbidden, readable = archive.objects()
        with refused("object.access_denied"):
            archive.read(forbidden)
        with refused("object.access_denied"):
            archive.delete(forbidden)
        with refused("object.access_denied"):
            archive.create("a/new.jpg", b"1", media_type=JPEG)
        assert archive.read(readable) == b"12345"
    (shared / "a").chmod(0o755)


@pytest.mark.parametrize("mode", [0, 0o404, 0o101])
def test_folder_that_may_not_be_read_is_listed_as_such_and_ends_nothing(
    shared: Path, mode: int
) -> None:
    archive = FolderArchive(shared)
    for key in ("a.jpg", "b/c.jpg", "b-d.jpg", "e.jpg"):
        put(shared, key)
    (shared / "b").chmod(mode)
    with unprivileged():
        listed = list(archive.objects())
        assert [each.key for each in listed] == ["a.jpg", "b-d.jpg", "b/", "e.jpg"]
        assert [each.key for each in archive.objects(after="b/")] == ["e.jpg"]
        with refused("object.access_denied"):
            archive.read(listed[2])
    (shared / "b").chmod(0o755)


def test_archive_that_may_not_be_read_at_all_is_an_outage(shared: Path) -> None:
    shared.chmod(0)
    with unprivileged(), pytest.raises(Unavailable, match=r"let user \d+ read and write"):
        list(FolderArchive(shared).objects())
    shared.chmod(0o755)


def test_file_that_the_disk_cannot_read_is_refused_alone() -> None:
    memory = FolderArchive(Path("/proc/self"))  # its first page is mapped by nobody
    with pytest.raises(ObjectRejected, match=os.strerror(errno.EIO)) as refusal:
        memory.read(found(memory, "mem"))
    assert refusal.value.code == "object.unreadable"


def test_first_create_makes_the_folder(tmp_path: Path) -> None:
    archive = FolderArchive(tmp_path / "new" / "crops")
    archive.create("2019/a.jpg", b"1", media_type=JPEG)
    assert archive.read(found(archive, "2019/a.jpg")) == b"1"


@pytest.mark.parametrize("key", ["a.jpg/b.jpg", "a.jpg/b/c.jpg", "a.jpg/b/c/d.jpg"])
def test_key_below_a_file_is_refused_alone(folder: Path, archive: FolderArchive, key: str) -> None:
    put(folder, "a.jpg")
    with refused("object.unaddressable"):
        archive.create(key, b"1", media_type=JPEG)
    assert files(folder) == ["a.jpg"]


def test_folder_is_not_replaced_by_a_file(folder: Path, archive: FolderArchive) -> None:
    put(folder, "a/b.jpg")
    with refused("object.exists"):
        archive.create("a", b"1", media_type=JPEG)


def test_path_that_is_too_long_for_the_system_is_refused_alone(tmp_path: Path) -> None:
    deep = FolderArchive(tmp_path.joinpath(*["x" * 200] * 20))
    with refused("object.unaddressable"):
        deep.create("a.jpg", b"1", media_type=JPEG)


def test_file_system_without_hard_links_creates_too_and_overwrites_nothing(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CREATE_WITHOUT_HARD_LINKS, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path.cwd(),
    )
    assert done.stdout.split() == ["object.exists", "False"]
    assert (folder / "new/a.jpg").read_bytes() == b"created"
    assert files(folder) == ["new/a.jpg"]


def test_deleting_leaves_the_folder_and_its_other_files(
    folder: Path, archive: FolderArchive
) -> None:
    put(folder, "a/b.jpg")
    put(folder, "a/c.jpg")
    assert archive.delete(found(archive, "a/b.jpg")) is Removal.GONE
    assert files(folder) == ["a/c.jpg"]
