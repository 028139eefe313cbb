"""A record's keys lead to the service's own store, and its addresses into archives.

With keys it is any object store, and held to some of the contract of those.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from service.adapters.addressed_store import AddressedStore
from service.adapters.archives import OpenedArchives
from service.core.errors import RequestRejected, Unavailable
from service.ports import ObjectStore
from tests.fakes import FakeObjectStore
from tests.servers.archives import BucketOwner, FolderOwner, Owner, archives_at
from tests.servers.s3 import S3Server
from tests.service.adapters.test_object_store import (  # noqa: F401  they run on this store too
    test_check_passes_and_leaves_nothing,
    test_deleted_object_is_gone_and_deleting_again_is_fine,
    test_head_agrees_with_the_listing,
    test_listing_keeps_to_what_the_key_begins_with,
    test_missing_object_is_none_to_every_question,
    test_odd_key_is_taken_as_it_is,
    test_range_is_cut_at_the_end,
    test_second_put_replaces_the_first,
)
from tests.serving import ANSWER_S

JPEG = "image/jpeg"


@pytest.fixture
def object_store() -> ObjectStore:
    return AddressedStore(FakeObjectStore(), OpenedArchives(None))


@pytest.fixture(params=["folder", "s3"])
def owner(request: pytest.FixtureRequest, tmp_path: Path) -> Owner:
    if request.param == "folder":
        return FolderOwner(tmp_path)
    server: S3Server = request.getfixturevalue("s3_server")
    return BucketOwner(server.client(), server.new_bucket())


@pytest.fixture
def store(s3_server: S3Server) -> AddressedStore:
    return AddressedStore(FakeObjectStore(), archives_at(s3_server))


def test_address_leads_to_the_archives_object(store: AddressedStore, owner: Owner) -> None:
    owner.put("2019/a b+ü.jpg", b"0123456789")
    address = f"{owner.root}/2019/a b+ü.jpg"
    assert store.get(address) == b"0123456789"
    assert store.get_range(address, start=2, length=3) == b"234"
    found = store.head(address)
    assert found is not None
    assert (found.key, found.bytes) == (address, 10)
    store.delete(address)
    assert store.get(address) is None
    assert store.head(address) is None
    assert store.get_range(address, start=0, length=1) is None


def test_archive_and_own_store_do_not_mix(store: AddressedStore, owner: Owner) -> None:
    owner.put("a.jpg", b"the archive's")
    store.put("a.jpg", b"the store's", media_type=JPEG)
    assert store.get("a.jpg") == b"the store's"
    assert store.get(f"{owner.root}/a.jpg") == b"the archive's"
    assert [found.key for found in store.objects()] == ["a.jpg"]


def test_nothing_is_put_over_an_archives_object(store: AddressedStore, owner: Owner) -> None:
    owner.put("a.jpg", b"the archive's")
    with pytest.raises(ValueError, match="never put over"):
        store.put(f"{owner.root}/a.jpg", b"another", media_type=JPEG)
    assert owner.content("a.jpg") == b"the archive's"


def test_object_in_a_bucket_has_a_presigned_address(
    store: AddressedStore, s3_server: S3Server, tmp_path: Path
) -> None:
    owner = BucketOwner(s3_server.client(), s3_server.new_bucket())
    owner.put("a b.jpg", b"served")
    url = store.presigned_url(f"{owner.root}/a b.jpg", expires_in=timedelta(minutes=1))
    assert url is not None
    assert httpx.get(url, timeout=ANSWER_S).content == b"served"
    of_a_file = store.presigned_url(f"file://{tmp_path}/a.jpg", expires_in=timedelta(minutes=1))
    assert of_a_file is None


def test_archive_that_is_not_there_is_an_outage_and_not_missing(
    store: AddressedStore, owner: Owner
) -> None:
    with pytest.raises(Unavailable, match="or correct the address"):
        store.get(f"{owner.root}-never-created/a.jpg")


def test_bucket_without_an_account_is_refused() -> None:
    store = AddressedStore(FakeObjectStore(), OpenedArchives(None))
    with pytest.raises(RequestRejected, match="METERCROP_S3_ACCESS_KEY"):
        store.get("s3://bucket/a.jpg")
