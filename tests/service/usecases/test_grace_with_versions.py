"""Versions and locks on a server that has them: Ceph."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from minio.commonconfig import ENABLED, GOVERNANCE
from minio.retention import Retention as Lock
from minio.versioningconfig import VersioningConfig

from service.core.record import Record, Retention
from service.usecases.purge_outcomes import Stays, Why
from tests.fakes import FakeLedger
from tests.painted import painted_photo
from tests.retained import now_of
from tests.retained_on_s3 import KeepingOnS3, keeping_on
from tests.servers.s3 import S3Server


@pytest.fixture
def keeping(ceph_server: S3Server, ledger: FakeLedger) -> KeepingOnS3:
    """Both buckets keep versions, and the archive's may be locked."""
    keeping = keeping_on(ceph_server, ledger)
    client = keeping.owner.client
    client.set_bucket_versioning(keeping.own_bucket, VersioningConfig(ENABLED))
    keeping.archive_bucket = f"{keeping.archive_bucket}-locks"
    client.make_bucket(keeping.archive_bucket, object_lock=True)
    return keeping


def why_it_stays(keeping: KeepingOnS3, record: Record, *, retry_locked: bool = False) -> Why:
    (outcome,) = keeping.purged(retry_locked=retry_locked)
    assert isinstance(outcome, Stays)
    assert outcome.record.id == record.id
    return outcome.why


def test_delete_marker_frees_nothing_in_the_archive(keeping: KeepingOnS3) -> None:
    record = keeping.archived(0)
    assert record.original.retained_version

    assert why_it_stays(keeping, record) is Why.MARKED

    assert now_of(keeping, record).original.retention is Retention.MARKED
    archive = keeping.archives.opened(keeping.owner.root)
    assert archive.find("2019/0.jpg") is None
    restored = keeping.restore.restored(record.id)
    assert restored.stored.key.startswith("restored/")
    assert keeping.store.get(restored.stored.key) == painted_photo(0)


def test_delete_marker_frees_nothing_in_the_own_store_either(keeping: KeepingOnS3) -> None:
    record = keeping.uploaded(0)
    assert record.original.retained_version == ""

    assert why_it_stays(keeping, record) is Why.MARKED

    assert now_of(keeping, record).original.retained_version
    assert keeping.store.get(record.original.retained_key or "") is None
    restored = keeping.restore.restored(record.id)
    assert keeping.store.get(restored.stored.key) == painted_photo(0)


@pytest.mark.parametrize("kind", ["hold", "retention"])
def test_locked_source_is_respected_until_the_lock_is_gone(keeping: KeepingOnS3, kind: str) -> None:
    record = keeping.archived(0)
    client, bucket, key = keeping.owner.client, keeping.archive_bucket, "2019/0.jpg"
    if kind == "hold":
        client.enable_object_legal_hold(bucket, key)
    else:
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
        client.set_object_retention(bucket, key, Lock(GOVERNANCE, until))

    assert why_it_stays(keeping, record) is Why.LOCKED
    assert now_of(keeping, record).original.retention is Retention.LOCKED
    assert keeping.owner.content(key) == painted_photo(0)
    assert keeping.purged() == []
    assert why_it_stays(keeping, record, retry_locked=True) is Why.LOCKED

    if kind == "hold":
        client.disable_object_legal_hold(bucket, key)
        assert why_it_stays(keeping, record, retry_locked=True) is Why.MARKED
    restored = keeping.restore.restored(record.id)
    assert keeping.store.get(restored.stored.key) == painted_photo(0)


def test_version_under_a_newer_one_is_left_to_its_owner(keeping: KeepingOnS3) -> None:
    record = keeping.archived(0)
    keeping.owner.put("2019/0.jpg", painted_photo(77))

    assert why_it_stays(keeping, record) is Why.ORIGINAL_CHANGED

    assert keeping.owner.content("2019/0.jpg") == painted_photo(77)
    restored = keeping.restore.restored(record.id)
    assert keeping.store.get(restored.stored.key) == painted_photo(0)
