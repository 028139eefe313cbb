"""The contract of `Archive`, held by the folder and each S3 server alike."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.adapters.archives import OpenedArchives
from service.adapters.objects import OWN_PREFIX
from service.core.archive import ArchivedObject, Removal
from service.core.errors import ObjectRejected, Unavailable
from service.ports import Archive
from tests.servers.archives import BucketOwner, FolderOwner, Owner, archives_at
from tests.servers.s3 import CEPH, S3Server

JPEG = "image/jpeg"

ODD_KEYS = [
    "2026-03-01T09:35:21+01:00.jpg",
    "a%20b+c&d<e>'\".jpg",
    " space / and there .jpg",
    "q?x=1#y.jpg",
    "back\\slash.jpg",
    "ünïcode/日本語/📷.jpg",
    "decomposed-e\u0301.jpg",
    "$@=:,;~!*().jpg",
    ".hidden/.file",
    "meter.jpg.metercrop.jpg",
    "x" * 200,
]

UNADDRESSABLE = ["", "..", "../a", "a/../b", "a/..", "./a", ".", "a\0b", "é" * 600, "\ud800"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An archive, empty at first, and its owner."""

    archives: OpenedArchives
    owner: Owner

    @property
    def archive(self) -> Archive:
        return self.archives.opened(self.owner.root)

    def found(self, key: str, content: bytes) -> ArchivedObject:
        """What the owner puts there, as it is found then."""
        self.owner.put(key, content)
        found = self.archive.find(key)
        assert found is not None
        return found

    @property
    def keys(self) -> list[str]:
        return [found.key for found in self.archive.objects()]


@pytest.fixture(params=["folder", "s3", *CEPH])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    return kept_by(request, tmp_path)


@pytest.fixture(params=["folder", *CEPH])
def kept_with_one_winner(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """Where of two that create at once one is told; rclone writes whatever comes last."""
    return kept_by(request, tmp_path)


def kept_by(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    if request.param == "folder":
        folder = tmp_path / "archive"
        folder.mkdir()
        return Kept(OpenedArchives(None), FolderOwner(folder))
    fixture = {"s3": "s3_server", "ceph": "ceph_server"}[request.param]
    server: S3Server = request.getfixturevalue(fixture)
    return Kept(archives_at(server), BucketOwner(server.client(), server.new_bucket()))


def refused(code: str) -> pytest.RaisesExc[ObjectRejected]:
    return pytest.raises(ObjectRejected, check=lambda error: error.code == code)


def test_listing_tells_what_there_is(kept: Kept) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # S3 tells whole seconds
    kept.owner.put("2019/a b.jpg", b"12345")
    (listed,) = kept.archive.objects()
    assert (listed.root, listed.key, listed.bytes) == (kept.owner.root, "2019/a b.jpg", 5)
    assert listed.location == f"{kept.owner.root}/2019/a b.jpg"
    assert listed.etag
    assert '"' not in listed.etag
    assert listed.version_id == ""
    assert listed.modified_at is not None
    assert before <= listed.modified_at <= datetime.now(UTC) + timedelta(seconds=2)


def test_object_is_found_as_it_is_listed(kept: Kept) -> None:
    kept.owner.put("a/b.jpg", b"12345")
    (listed,) = kept.archive.objects()
    found = kept.archive.find("a/b.jpg")
    assert found is not None
    assert replace(found, modified_at=None) == replace(listed, modified_at=None)
    assert kept.archive.read(listed) == kept.archive.read(found) == b"12345"


def test_what_is_not_there_is_not_found(kept: Kept) -> None:
    kept.owner.put("present/one.jpg", b"1")
    for key in ("absent.jpg", "present", "present/other.jpg", "present/one.jpg.jpg"):
        assert kept.archive.find(key) is None
    assert kept.archive.find("present/one.jpg", version_id="3HL4kqtJvjVBH40Nrjfkd") is None


def test_listing_is_in_key_order_over_folders(kept: Kept) -> None:
    keys = ["b", "a/x", "a.b", "a-b", "a0", "a/b/c", "A", "a/b.c", "ä", "z/z"]
    for key in keys:
        kept.owner.put(key, b"1")
    assert kept.keys == sorted(keys)


@pytest.mark.parametrize("prefix", ["a/", "a", "a/b", "a/bc/", "", "nothing/", "a/bc/d.jpg"])
def test_listing_keeps_to_what_the_key_begins_with(kept: Kept, prefix: str) -> None:
    keys = ["a/b.jpg", "a/bc/d.jpg", "a/bc/e.jpg", "ab.jpg", "b/a/b.jpg"]
    for key in keys:
        kept.owner.put(key, b"1")
    expected = [key for key in sorted(keys) if key.startswith(prefix)]
    assert [found.key for found in kept.archive.objects(prefix)] == expected


@pytest.mark.parametrize("prefix", ["", "a", "a/b"])
@pytest.mark.parametrize(
    "after", ["a", "a-b", "a/", "a/b.jpg", "a/bc", "a/bc/d.jpg", "a/bc/zz", "a0", "b", "zz", "a+b"]
)
def test_listing_goes_on_from_behind_a_key(kept: Kept, prefix: str, after: str) -> None:
    keys = ["a+b", "a-b", "a/b.jpg", "a/bc/d.jpg", "a/bc/e.jpg", "a0", "ab.jpg", "b/a/b.jpg"]
    for key in keys:
        kept.owner.put(key, b"1")
    expected = [key for key in sorted(keys) if key.startswith(prefix) and key > after]
    assert [found.key for found in kept.archive.objects(prefix, after=after)] == expected


def test_listing_goes_on_from_any_key_that_it_gave(kept: Kept) -> None:
    for key in ODD_KEYS:
        kept.owner.put(key, b"1")
    for number, key in enumerate(sorted(ODD_KEYS), start=1):
        listed = [found.key for found in kept.archive.objects(after=key)]
        assert listed == sorted(ODD_KEYS)[number:]


def test_listing_may_be_left_early(kept: Kept) -> None:
    for number in range(3):
        kept.owner.put(f"{number}.jpg", b"1")
    assert next(iter(kept.archive.objects())).key == "0.jpg"
    assert kept.keys == ["0.jpg", "1.jpg", "2.jpg"]


def test_what_is_metercrops_own_is_not_listed_but_crops_are(kept: Kept) -> None:
    kept.owner.put(f"a/{OWN_PREFIX}check-1", b"1")
    kept.owner.put("a/photo.jpg.metercrop.jpg", b"1")
    assert kept.keys == ["a/photo.jpg.metercrop.jpg"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_key_is_taken_as_it_is(kept: Kept, key: str) -> None:
    kept.owner.put(key, key.encode())
    (listed,) = kept.archive.objects()
    assert listed.key == key
    assert kept.archive.read(listed) == key.encode()
    assert kept.archive.delete(listed) is Removal.GONE
    assert kept.keys == []
    kept.archive.create(key, b"created", media_type=JPEG)
    assert kept.owner.content(key) == b"created"


@pytest.mark.parametrize("key", UNADDRESSABLE)
def test_key_that_names_no_place_is_refused(kept: Kept, key: str) -> None:
    found = ArchivedObject(kept.owner.root, key, 1, "etag")
    for attempt in (
        lambda: kept.archive.read(found),
        lambda: kept.archive.find(key),
        lambda: kept.archive.create(key, b"1", media_type=JPEG),
        lambda: kept.archive.delete(found),
    ):
        with refused("object.unaddressable"):
            attempt()
    assert kept.keys == []


def test_empty_object_is_read_as_such(kept: Kept) -> None:
    assert kept.archive.read(kept.found("empty", b"")) == b""


def test_object_of_another_size_has_changed(kept: Kept) -> None:
    found = kept.found("a.jpg", b"12345")
    kept.owner.put("a.jpg", b"123456")
    with refused("object.changed"):
        kept.archive.read(found)


def test_object_of_other_bytes_and_the_same_size_has_changed(kept: Kept) -> None:
    found = kept.found("a.jpg", b"12345")
    kept.owner.put("a.jpg", b"54321")
    with refused("object.changed"):
        kept.archive.read(found)


def test_object_that_has_vanished_is_gone(kept: Kept) -> None:
    found = kept.found("a/b.jpg", b"12345")
    kept.owner.delete("a/b.jpg")
    with refused("object.gone"):
        kept.archive.read(found)


def test_created_object_is_there_and_nothing_else(kept: Kept) -> None:
    content = random.Random(0).randbytes(300_000)
    kept.archive.create("crops/a/b.jpg", content, media_type=JPEG)
    assert kept.owner.content("crops/a/b.jpg") == content
    assert kept.keys == ["crops/a/b.jpg"]


def test_large_object_is_created_whole(kept: Kept) -> None:
    content = random.Random(0).randbytes(20_000_001)
    kept.archive.create("large.tif", content, media_type="image/tiff")
    assert kept.owner.content("large.tif") == content


def test_creating_the_same_again_writes_nothing(kept: Kept) -> None:
    kept.archive.create("a.jpg", b"the crop", media_type=JPEG)
    before = list(kept.archive.objects())
    kept.archive.create("a.jpg", b"the crop", media_type=JPEG)
    assert list(kept.archive.objects()) == before


@pytest.mark.parametrize("other", [b"a longer one", b"some one", b""])
def test_what_is_there_is_never_overwritten(kept: Kept, other: bytes) -> None:
    kept.owner.put("a.jpg", other)
    with refused("object.exists"):
        kept.archive.create("a.jpg", b"the crop", media_type=JPEG)
    assert kept.owner.content("a.jpg") == other


def test_eight_threads_may_create_the_same_object(kept_with_one_winner: Kept) -> None:
    kept, content = kept_with_one_winner, random.Random(0).randbytes(100_000)

    def create(_: int) -> None:
        kept.archive.create("same/key.jpg", content, media_type=JPEG)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(create, range(8)))
    assert kept.owner.content("same/key.jpg") == content
    assert kept.keys == ["same/key.jpg"]


def test_of_eight_threads_with_other_bytes_one_creates_and_seven_are_refused(
    kept_with_one_winner: Kept,
) -> None:
    kept, contents = kept_with_one_winner, [bytes([number]) * 10_000 for number in range(8)]

    def code(content: bytes) -> str:
        try:
            kept.archive.create("same/key.jpg", content, media_type=JPEG)
        except ObjectRejected as error:
            return error.code
        return "created"

    with ThreadPoolExecutor(8) as threads:
        codes = list(threads.map(code, contents))
    assert sorted(codes) == ["created"] + ["object.exists"] * 7
    assert kept.owner.content("same/key.jpg") == contents[codes.index("created")]
    assert kept.keys == ["same/key.jpg"]


def test_deleted_object_is_gone_and_deleting_it_again_is_fine(kept: Kept) -> None:
    found = kept.found("a/b.jpg", b"12345")
    kept.owner.put("a/c.jpg", b"1")
    assert kept.archive.delete(found) is Removal.GONE
    assert kept.archive.delete(found) is Removal.GONE
    assert kept.keys == ["a/c.jpg"]


def test_object_that_has_changed_is_not_deleted(kept: Kept) -> None:
    found = kept.found("a.jpg", b"12345")
    kept.owner.put("a.jpg", b"54321")
    with refused("object.changed"):
        kept.archive.delete(found)
    assert kept.owner.content("a.jpg") == b"54321"


def test_archive_that_is_not_there_is_an_outage_and_not_empty(kept: Kept) -> None:
    archive = kept.archives.opened(f"{kept.owner.root}-never-created")
    found = ArchivedObject(f"{kept.owner.root}-never-created", "a.jpg", 1, "etag")
    for attempt in (
        lambda: list(archive.objects()),
        lambda: archive.find("a.jpg"),
        lambda: archive.read(found),
        lambda: archive.delete(found),
    ):
        with pytest.raises(Unavailable, match="or correct the job's address") as caught:
            attempt()
        assert caught.value.code == "store.unavailable"
