"""The contract of `ObjectStore`, held by the fake, the folder and each S3 server alike."""

from __future__ import annotations

import hashlib
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from service.adapters.objects import OWN_PREFIX
from service.ports import ObjectStore

JPEG = "image/jpeg"

ODD_KEYS = [
    "a+b.jpg",
    "a%20b.jpg",
    "a&b<c>'\".jpg",
    "space here/ and there .jpg",
    "q?x=1#y.jpg",
    "back\\slash.jpg",
    "ünïcode/日本語/📷.jpg",
    "decomposed-e\u0301.jpg",
    "$@=:,;~!*().jpg",
    ".hidden/.file",
    "trailing.",
    "x" * 200,
]

REFUSED_KEYS = ["", "/", "/etc/passwd", "a//b", "a/", "../a", "a/../b", "a/..", "./a", ".", "a\0b"]


def random_bytes(count: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(count)


def test_object_comes_back_as_it_was_put(object_store: ObjectStore) -> None:
    content = random_bytes(300_000)
    object_store.put("crops/ab/cd/abcd.jpg", content, media_type=JPEG)
    assert object_store.get("crops/ab/cd/abcd.jpg") == content


def test_missing_object_is_none_to_every_question(object_store: ObjectStore) -> None:
    object_store.put("present/one.jpg", b"1", media_type=JPEG)
    for key in ("absent.jpg", "present", "present/other.jpg", "present/one.jpg.jpg"):
        assert object_store.get(key) is None
        assert object_store.head(key) is None
        assert object_store.get_range(key, start=0, length=10) is None
        assert object_store.get_range(key, start=0, length=0) is None


def test_second_put_replaces_the_first(object_store: ObjectStore) -> None:
    object_store.put("a/b.jpg", b"the first and longer one", media_type=JPEG)
    object_store.put("a/b.jpg", b"the second", media_type=JPEG)
    assert object_store.get("a/b.jpg") == b"the second"
    assert [found.bytes for found in object_store.objects()] == [10]


def test_empty_object_is_there(object_store: ObjectStore) -> None:
    object_store.put("empty", b"", media_type=JPEG)
    assert object_store.get("empty") == b""
    found = object_store.head("empty")
    assert found is not None
    assert found.bytes == 0
    assert object_store.get_range("empty", start=0, length=10) == b""


def test_object_of_several_parts_comes_back_whole(object_store: ObjectStore) -> None:
    content = random_bytes(40_000_001)
    object_store.put("originals/large.jpg", content, media_type=JPEG)
    returned = object_store.get("originals/large.jpg")
    assert returned is not None
    assert hashlib.sha256(returned).digest() == hashlib.sha256(content).digest()
    part = object_store.get_range("originals/large.jpg", start=16_777_210, length=12)
    assert part == content[16_777_210:16_777_222]
    assert [found.key for found in object_store.objects()] == ["originals/large.jpg"]


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 4, b"0123"),
        (3, 4, b"3456"),
        (8, 100, b"89"),
        (0, 10, b"0123456789"),
        (0, 0, b""),
        (9, 1, b"9"),
        (10, 1, b""),
        (99, 1, b""),
    ],
)
def test_range_is_cut_at_the_end(
    object_store: ObjectStore, start: int, length: int, expected: bytes
) -> None:
    object_store.put("digits", b"0123456789", media_type=JPEG)
    assert object_store.get_range("digits", start=start, length=length) == expected


@pytest.mark.parametrize(("start", "length"), [(-1, 4), (0, -1)])
def test_negative_range_is_refused(object_store: ObjectStore, start: int, length: int) -> None:
    object_store.put("digits", b"0123456789", media_type=JPEG)
    with pytest.raises(ValueError, match="negative"):
        object_store.get_range("digits", start=start, length=length)


def test_head_agrees_with_the_listing(object_store: ObjectStore) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # S3 tells whole seconds
    object_store.put("a/b.jpg", b"12345", media_type=JPEG)
    found = object_store.head("a/b.jpg")
    (listed,) = object_store.objects()
    assert found is not None
    assert (found.key, found.bytes) == (listed.key, listed.bytes) == ("a/b.jpg", 5)
    assert before <= found.modified_at <= datetime.now(UTC) + timedelta(seconds=2)
    assert abs(found.modified_at - listed.modified_at) < timedelta(seconds=1)


def test_deleted_object_is_gone_and_deleting_again_is_fine(object_store: ObjectStore) -> None:
    object_store.put("a/b.jpg", b"1", media_type=JPEG)
    object_store.put("a/c.jpg", b"2", media_type=JPEG)
    object_store.delete("a/b.jpg")
    object_store.delete("a/b.jpg")
    object_store.delete("never/was.jpg")
    assert object_store.get("a/b.jpg") is None
    assert [found.key for found in object_store.objects()] == ["a/c.jpg"]


def test_listing_is_in_key_order_over_folders(object_store: ObjectStore) -> None:
    keys = ["b", "a/x", "a.b", "a-b", "a0", "a/b/c", "A", "a/b.c", "ä", "z/z"]
    for key in keys:
        object_store.put(key, b"1", media_type=JPEG)
    assert [found.key for found in object_store.objects()] == sorted(keys)


@pytest.mark.parametrize("prefix", ["a/", "a", "a/b", "a/bc/", "", "nothing/", "a/bc/d.jpg"])
def test_listing_keeps_to_what_the_key_begins_with(object_store: ObjectStore, prefix: str) -> None:
    keys = ["a/b.jpg", "a/bc/d.jpg", "a/bc/e.jpg", "ab.jpg", "b/a/b.jpg"]
    for key in keys:
        object_store.put(key, b"1", media_type=JPEG)
    expected = [key for key in sorted(keys) if key.startswith(prefix)]
    assert [found.key for found in object_store.objects(prefix)] == expected


def test_listing_may_be_left_early(object_store: ObjectStore) -> None:
    for number in range(5):
        object_store.put(f"{number}.jpg", b"1", media_type=JPEG)
    assert next(iter(object_store.objects())).key == "0.jpg"
    assert len(list(object_store.objects())) == 5


def test_deleting_while_listing_reaches_every_object(object_store: ObjectStore) -> None:
    for number in range(20):
        object_store.put(f"{number % 3}/{number:02}.jpg", b"1", media_type=JPEG)
    for found in object_store.objects():
        object_store.delete(found.key)
    assert list(object_store.objects()) == []


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_key_is_taken_as_it_is(object_store: ObjectStore, key: str) -> None:
    object_store.put(key, key.encode(), media_type=JPEG)
    assert object_store.get(key) == key.encode()
    assert [found.key for found in object_store.objects()] == [key]
    object_store.delete(key)
    assert object_store.head(key) is None


@pytest.mark.parametrize("key", REFUSED_KEYS)
def test_key_that_not_every_store_can_hold_is_refused(object_store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        object_store.put(key, b"1", media_type=JPEG)
    assert list(object_store.objects()) == []


def test_too_long_key_is_refused(object_store: ObjectStore) -> None:
    for key in ("x" * 256, "é" * 128, "/".join(["x" * 200] * 6)):
        with pytest.raises(ValueError, match="at most"):
            object_store.put(key, b"1", media_type=JPEG)


def test_sixteen_threads_putting_one_key_leave_one_whole_object(object_store: ObjectStore) -> None:
    contents = [random_bytes(200_000 + number, seed=number) for number in range(16)]

    def put(content: bytes) -> None:
        object_store.put("same/key.jpg", content, media_type=JPEG)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(put, contents))
    assert object_store.get("same/key.jpg") in contents
    # As a set: rclone's directory cache may name a file twice that many have just made at once.
    assert {found.key for found in object_store.objects()} == {"same/key.jpg"}


def test_sixteen_threads_with_keys_of_their_own_do_not_mix(object_store: ObjectStore) -> None:
    def round_trip(number: int) -> bool:
        key, content = f"{number % 4}/{number}.jpg", random_bytes(20_000, seed=number)
        object_store.put(key, content, media_type=JPEG)
        found = object_store.head(key)
        return object_store.get(key) == content and found is not None and found.bytes == 20_000

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(round_trip, range(64)))


def test_check_passes_and_leaves_nothing(object_store: ObjectStore) -> None:
    object_store.check()
    assert list(object_store.objects()) == []


def test_what_is_the_stores_own_is_not_listed(object_store: ObjectStore) -> None:
    object_store.put(f"{OWN_PREFIX}check-1", b"of another process", media_type=JPEG)
    object_store.put("photo.jpg", b"1", media_type=JPEG)
    assert [found.key for found in object_store.objects()] == ["photo.jpg"]
