"""Addresses of archives and their objects, as people and records write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.archive import (
    MAX_LOCATION_BYTES,
    ArchivedObject,
    fit_for_a_list,
    is_below,
    is_cut,
    object_of,
    source_of,
)
from service.core.errors import RequestRejected

SEGMENT = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda segment: segment not in (".", ".."))
KEY = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("s3://bucket", ("s3://bucket", "")),
        ("s3://bucket/", ("s3://bucket", "")),
        ("s3://bucket/2019/meter", ("s3://bucket", "2019/meter")),
        ("s3://bucket/2019/", ("s3://bucket", "2019/")),
        ("s3://bucket//odd/../key%20", ("s3://bucket", "/odd/../key%20")),
        ("s3://Old_bucket.2012/a", ("s3://Old_bucket.2012", "a")),
        ("file:///mnt/archive", ("file:///mnt/archive", "")),
        ("file:///mnt/archive/", ("file:///mnt/archive", "")),
        ("file:///mnt/a b%20c/ü", ("file:///mnt/a b%20c/ü", "")),
        ("file:///", ("file://", "")),
    ],
)
def test_source_is_a_bucket_with_a_prefix_or_a_whole_folder(
    address: str, source: tuple[str, str]
) -> None:
    assert source_of(address) == source


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("s3://bucket/a/b.jpg", ("s3://bucket", "a/b.jpg")),
        ("s3://bucket//a//b.jpg", ("s3://bucket", "/a//b.jpg")),
        ("s3://bucket/a/", ("s3://bucket", "a/")),
        ("file:///mnt/archive/b.jpg", ("file:///mnt/archive", "b.jpg")),
        ("file:///b.jpg", ("file://", "b.jpg")),
    ],
)
def test_object_is_a_key_of_a_bucket_or_a_file_of_its_folder(
    address: str, place: tuple[str, str]
) -> None:
    assert object_of(address) == place


@given(root=st.sampled_from(["s3://bucket", "file:///mnt", "file://"]), key=KEY)
def test_location_of_an_object_leads_back_to_it(root: str, key: str) -> None:
    location = ArchivedObject(root, key, 0, "").location
    found_root, found_key = object_of(location)
    assert f"{found_root}/{found_key}" == location
    if root.startswith("s3://"):
        assert (found_root, found_key) == (root, key)


NOT_ADDRESSES = [
    "",
    "bucket/prefix",
    "https://bucket.s3.amazonaws.com/key",
    "S3://bucket/key",
    "s3:/bucket",
    "s3://",
    "s3:///key",
    "s3://a/key",
    "s3://user:pw@bucket/key",
    "s3://bucket?x=1/key",
    "s3://bucket/a\0b",
    "s3://bucket/\ud800",
    "file://",
    "file://host/folder/file",
    "file:///a//b",
    "file:///a/../b",
    "file:///./a",
    "file:///a/..",
    "file:///a\0b",
]


@pytest.mark.parametrize("read", [source_of, object_of])
@pytest.mark.parametrize("address", NOT_ADDRESSES)
def test_what_is_no_address_is_refused(
    read: Callable[[str], tuple[str, str]], address: str
) -> None:
    with pytest.raises(RequestRejected) as refusal:
        read(address)
    assert refusal.value.code == "field.invalid"
    assert str(refusal.value).isascii()


@pytest.mark.parametrize("address", ["s3://bucket", "s3://bucket/", "file:///", "file:///folder/"])
def test_address_without_a_key_is_no_objects(address: str) -> None:
    with pytest.raises(RequestRejected, match="names no object; write s3://bucket/prefix"):
        object_of(address)


def test_address_that_a_list_can_hold_stays_as_it_is() -> None:
    found = ArchivedObject("s3://archive", "k" * 1_024, 1, "etag", "v" * 64)

    assert fit_for_a_list(found) is found
    assert not is_cut(found.key)


def test_longer_addresses_are_cut_and_stay_apart() -> None:
    one = ArchivedObject("file:///" + "é" * 1_500, "水" * 1_500 + "a.jpg", 1, "etag")
    cut = fit_for_a_list(one)
    others = [replace(one, key=f"{one.key}x"), replace(one, root=f"{one.root}x")]

    assert is_cut(cut.key)
    assert len(cut.location.encode()) < MAX_LOCATION_BYTES
    assert (cut.bytes, cut.etag) == (one.bytes, one.etag)
    assert len({fit_for_a_list(each).location for each in (one, *others)}) == 3


@pytest.mark.parametrize(
    "address",
    ["file:///mnt/photos", "file:///mnt/photos/", "file:///mnt/photos/2019/a.jpg"],
)
def test_what_lies_below_a_folder(address: str) -> None:
    assert is_below(address, ["/etc", "/mnt/photos"])
    assert is_below(address, ["/mnt/photos/"])
    assert is_below(address, ["/"])


@pytest.mark.parametrize("address", ["file:///mnt/photos-2019", "file:///mnt", "file:///"])
def test_what_does_not_lie_below_a_folder(address: str) -> None:
    assert not is_below(address, ["/etc", "/mnt/photos"])
    assert not is_below(address, [])
