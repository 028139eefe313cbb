"""Versions, locks, refusals and strange keys, on a server that has them: Ceph."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from io import BytesIO
from urllib.parse import quote, urlsplit

import pytest
from minio import Minio
from minio.commonconfig import ENABLED, GOVERNANCE
from minio.credentials.credentials import Credentials
from minio.retention import Retention
from minio.signer import presign_v4
from minio.versioningconfig import SUSPENDED, VersioningConfig

from service.adapters.s3_listing import newest_objects, newest_versions
from service.core.archive import ArchivedObject, Removal
from service.core.errors import ObjectRejected
from service.ports import Archive
from tests.servers.archives import archives_at
from tests.servers.s3 import S3Server

JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Bucket:
    """As its owner sees it, and as jobs do."""

    client: Minio
    name: str
    archive: Archive

    def put(self, key: str, content: bytes) -> str:
        """The version's id, empty where there are none."""
        written = self.client.put_object(self.name, key, BytesIO(content), len(content))
        return written.version_id or ""

    def put_locked(
        self, key: str, *, retention: Retention | None = None, hold: bool = False
    ) -> None:
        self.client.put_object(
            self.name, key, BytesIO(b"12345"), 5, retention=retention, legal_hold=hold
        )

    def keep_versions(self, status: str = ENABLED) -> None:
        self.client.set_bucket_versioning(self.name, VersioningConfig(status))

    def remove(self, key: str) -> None:
        self.client.remove_object(self.name, key)

    def found(self, key: str) -> ArchivedObject:
        found = self.archive.find(key)
        assert found is not None
        return found

    @property
    def listed(self) -> dict[str, str]:
        """Version id by key."""
        return {found.key: found.version_id for found in self.archive.objects()}


@pytest.fixture
def bucket(ceph_server: S3Server) -> Bucket:
    name = ceph_server.new_bucket()
    return Bucket(ceph_server.client(), name, archives_at(ceph_server).opened(f"s3://{name}"))


@pytest.fixture
def versioned(bucket: Bucket) -> Bucket:
    bucket.keep_versions()
    return bucket


@pytest.fixture
def lockable(ceph_server: S3Server) -> Bucket:
    client, name = ceph_server.client(), f"{ceph_server.new_bucket()}-lock"
    client.make_bucket(name, object_lock=True)
    return Bucket(client, name, archives_at(ceph_server).opened(f"s3://{name}"))


def refused(code: str) -> pytest.RaisesExc[ObjectRejected]:
    return pytest.raises(ObjectRejected, check=lambda error: error.code == code)


def test_listing_and_finding_freeze_the_newest_version(versioned: Bucket) -> None:
    versioned.put("a.jpg", b"old")
    newest = versioned.put("a.jpg", b"new")
    assert versioned.listed == {"a.jpg": newest}
    assert versioned.found("a.jpg").version_id == newest


def test_frozen_version_is_read_although_there_is_a_newer_one(versioned: Bucket) -> None:
    versioned.put("a.jpg", b"frozen")
    (frozen,) = versioned.archive.objects()
    versioned.put("a.jpg", b"newer")
    assert versioned.archive.read(frozen) == b"frozen"


def test_older_version_is_found_by_its_id(versioned: Bucket) -> None:
    old = versioned.put("a.jpg", b"old")
    versioned.put("a.jpg", b"newest")
    found = versioned.archive.find("a.jpg", version_id=old)
    assert found is not None
    assert (found.bytes, found.version_id) == (3, old)
    assert versioned.archive.read(found) == b"old"
    assert versioned.archive.find("a.jpg", version_id=old[::-1]) is None
    assert versioned.archive.find("a.jpg", version_id="no id") is None


def test_what_a_delete_marker_hides_is_not_listed_and_read_only_by_its_version(
    versioned: Bucket,
) -> None:
    versioned.put("a.jpg", b"12345")
    (frozen,) = versioned.archive.objects()
    versioned.remove("a.jpg")
    assert versioned.listed == {}
    assert versioned.archive.find("a.jpg") is None
    assert versioned.archive.read(frozen) == b"12345"


def test_version_that_was_deleted_for_good_is_gone(versioned: Bucket) -> None:
    versioned.put("a.jpg", b"12345")
    (frozen,) = versioned.archive.objects()
    versioned.client.remove_object(versioned.name, "a.jpg", frozen.version_id)
    with refused("object.gone"):
        versioned.archive.read(frozen)
    assert versioned.archive.delete(frozen) is Removal.GONE


def test_object_from_before_the_bucket_kept_versions_has_the_null_version(bucket: Bucket) -> None:
    bucket.put("a.jpg", b"from before")
    bucket.keep_versions()
    assert bucket.listed == {"a.jpg": "null"}
    frozen = bucket.found("a.jpg")
    assert frozen.version_id == "null"
    bucket.put("a.jpg", b"newer")
    assert bucket.archive.read(frozen) == b"from before"


def test_deleting_in_a_versioned_bucket_frees_nothing_and_says_so(versioned: Bucket) -> None:
    versioned.put("a.jpg", b"12345")
    found = versioned.found("a.jpg")
    assert versioned.archive.delete(found) is Removal.MARKED
    assert versioned.listed == {}
    assert versioned.archive.read(found) == b"12345"


def test_deleting_behind_a_delete_marker_puts_no_second_one(versioned: Bucket) -> None:
    versioned.put("a.jpg", b"12345")
    found = versioned.found("a.jpg")
    for _ in range(3):
        assert versioned.archive.delete(found) is Removal.MARKED
    every = versioned.client.list_objects(versioned.name, include_version=True)
    assert [each.is_delete_marker for each in every] == [False, True]


def test_object_with_a_newer_version_is_not_deleted(versioned: Bucket) -> None:
    versioned.put("a.jpg", b"12345")
    found = versioned.found("a.jpg")
    newest = versioned.put("a.jpg", b"12345")
    with refused("object.changed"):
        versioned.archive.delete(found)
    assert versioned.listed == {"a.jpg": newest}


def test_bucket_that_keeps_versions_since_it_was_listed_frees_nothing(bucket: Bucket) -> None:
    bucket.put("a.jpg", b"12345")
    assert bucket.listed == {"a.jpg": ""}
    found = bucket.found("a.jpg")
    bucket.keep_versions()
    assert bucket.archive.delete(found) is Removal.MARKED
    assert bucket.archive.find("a.jpg") is None


def test_bucket_that_no_longer_keeps_versions_frees_what_it_wrote_since(versioned: Bucket) -> None:
    versioned.put("old.jpg", b"12345")
    versioned.keep_versions(SUSPENDED)
    versioned.put("new.jpg", b"12345")
    assert versioned.listed["new.jpg"] == "null"
    assert versioned.archive.delete(versioned.found("new.jpg")) is Removal.GONE
    assert versioned.archive.delete(versioned.found("old.jpg")) is Removal.MARKED
    assert versioned.listed == {}


def test_crop_may_be_created_where_a_delete_marker_is(versioned: Bucket) -> None:
    versioned.put("a.jpg", b"hidden")
    versioned.remove("a.jpg")
    versioned.archive.create("a.jpg", b"the crop", media_type=JPEG)
    assert versioned.archive.read(versioned.found("a.jpg")) == b"the crop"


def test_creating_the_same_again_makes_no_second_version(versioned: Bucket) -> None:
    for _ in range(2):
        versioned.archive.create("a.jpg", b"the crop", media_type=JPEG)
    every = versioned.client.list_objects(versioned.name, include_version=True)
    assert len(list(every)) == 1


def test_object_under_retention_is_locked_and_stays_in_sight(lockable: Bucket) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    lockable.put_locked("a.jpg", retention=Retention(GOVERNANCE, tomorrow))
    found = lockable.found("a.jpg")
    assert lockable.archive.delete(found) is Removal.LOCKED
    assert lockable.listed == {"a.jpg": found.version_id}


def test_object_under_legal_hold_is_locked_until_it_is_lifted(lockable: Bucket) -> None:
    lockable.put_locked("a.jpg", hold=True)
    found = lockable.found("a.jpg")
    assert lockable.archive.delete(found) is Removal.LOCKED
    lockable.client.disable_object_legal_hold(lockable.name, "a.jpg")
    assert lockable.archive.delete(found) is Removal.MARKED


def test_retention_that_is_over_locks_nothing(lockable: Bucket) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=4)
    lockable.put_locked("a.jpg", retention=Retention(GOVERNANCE, soon))
    found = lockable.found("a.jpg")
    assert lockable.archive.delete(found) is Removal.LOCKED
    time.sleep(max(0.0, (soon - datetime.now(UTC)).total_seconds()) + 0.1)
    assert lockable.archive.delete(found) is Removal.MARKED


def test_locked_object_that_somebody_else_hid_is_still_locked(lockable: Bucket) -> None:
    lockable.put_locked("a.jpg", hold=True)
    found = lockable.found("a.jpg")
    lockable.remove("a.jpg")
    assert lockable.archive.delete(found) is Removal.LOCKED


def test_crop_is_created_in_a_bucket_with_object_lock(lockable: Bucket) -> None:
    lockable.archive.create("a.jpg", b"the crop", media_type=JPEG)
    stored = lockable.client.stat_object(lockable.name, "a.jpg")
    assert (stored.size, stored.content_type) == (8, JPEG)


def test_object_that_policy_forbids_is_refused_alone(bucket: Bucket) -> None:
    for key in ("secret/a.jpg", "b.jpg"):
        bucket.put(key, b"12345")
    readable, secret = bucket.archive.objects()
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": [f"arn:aws:s3:::{bucket.name}/secret/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    bucket.client.set_bucket_policy(bucket.name, json.dumps(policy))
    for attempt in (
        lambda: bucket.archive.read(secret),
        lambda: bucket.archive.find(secret.key),
        lambda: bucket.archive.create("secret/new.jpg", b"1", media_type=JPEG),
        lambda: bucket.archive.delete(secret),
    ):
        with refused("object.access_denied"):
            attempt()
    assert bucket.archive.read(readable) == b"12345"
    assert len(bucket.listed) == 2


def test_object_that_may_be_read_but_not_deleted_stays(bucket: Bucket) -> None:
    bucket.put("block/clock.jpg", b"12345")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:DeleteObject"],
        "Resource": [f"arn:aws:s3:::{bucket.name}/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    bucket.client.set_bucket_policy(bucket.name, json.dumps(policy))
    found = bucket.found("block/clock.jpg")
    with refused("object.access_denied"):
        bucket.archive.delete(found)
    assert bucket.archive.read(found) == b"12345"


def test_keys_that_the_sdk_cannot_ask_for_are_listed_and_refused_alone(
    ceph_server: S3Server, bucket: Bucket
) -> None:
    for key in ("./dot.jpg", "a/../b.jpg"):
        put_raw(ceph_server, bucket.name, key)
    for key in ("a//b.jpg", "tab\tand\x01.jpg", "trailing/slash/"):
        bucket.put(key, b"12345")
    listed = list(bucket.archive.objects())
    assert [found.key for found in listed] == [
        *("./dot.jpg", "a/../b.jpg", "a//b.jpg", "tab\tand\x01.jpg")
    ]
    for found in listed[:2]:
        with refused("object.unaddressable"):
            bucket.archive.read(found)
    for found in listed[2:]:
        assert bucket.archive.read(found) == b"12345"


def put_raw(server: S3Server, bucket: str, key: str) -> None:
    """Past the SDK, which knows better than the server what a key is."""
    url = presign_v4(
        method="PUT",
        url=urlsplit(f"http://{server.endpoint}/{bucket}/{quote(key)}"),
        region=server.region,
        credentials=Credentials(server.access_key, server.secret_key),
        date=datetime.now(UTC),
        expires=60,
    )
    connection = HTTPConnection(server.endpoint)
    connection.request("PUT", f"{url.path}?{url.query}", b"12345")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("page_keys", [1, 2, 3, 7])
@pytest.mark.parametrize("behind", ["", "a+b+.jpg", "b%20c\x01\ufffe.jpg"])
def test_pages_go_on_behind_keys_that_the_server_names_wrongly(
    versioned: Bucket, behind: str, page_keys: int
) -> None:
    keys = ["a b.jpg", "a+b+.jpg", "a+c.jpg", "b%20c\x01\ufffe.jpg", "b%20d.jpg", "é+ü.jpg", "📷"]
    for key in keys:
        versioned.put(key, b"1")
    expected = [key for key in keys if key > behind]
    for listing in (newest_objects, newest_versions):
        listed = listing(
            versioned.client, versioned.name, prefix="", after=behind, page_keys=page_keys
        )
        assert [found.object_name for found in listed] == expected


@pytest.mark.parametrize("page_keys", [1, 2, 3, 5, 100])
def test_key_with_more_versions_than_a_page_is_listed_once_and_marked_ones_never(
    versioned: Bucket, page_keys: int
) -> None:
    newest = {}
    for key in ("a+.jpg", "b+.jpg", "c+.jpg", "d+.jpg"):
        for _ in range(4):
            newest[key] = versioned.put(key, b"1")
    for key in ("b+.jpg", "d+.jpg"):
        versioned.remove(key)
        del newest[key]
    listed = newest_versions(
        versioned.client, versioned.name, prefix="", after="", page_keys=page_keys
    )
    assert {found.object_name: found.version_id for found in listed} == newest
