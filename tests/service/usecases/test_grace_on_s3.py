"""Originals on a real S3 server: purged, restored, and left alone while it does not answer."""

from __future__ import annotations

import pytest

from service.core.errors import Unavailable
from service.usecases.purge_outcomes import Purged, Stays, Why
from tests.fakes import FakeLedger
from tests.painted import painted_photo
from tests.retained_on_s3 import KeepingOnS3, keeping_on
from tests.servers.s3 import S3Server


@pytest.fixture
def keeping(any_s3_server: S3Server, ledger: FakeLedger) -> KeepingOnS3:
    return keeping_on(any_s3_server, ledger)


def own_keys(keeping: KeepingOnS3) -> list[str]:
    return [found.key for found in keeping.own.objects()]


def archived_keys(keeping: KeepingOnS3) -> list[str]:
    archive = keeping.archives.opened(keeping.owner.root)
    return [found.key for found in archive.objects()]


def test_originals_are_deleted_and_crops_stay(keeping: KeepingOnS3) -> None:
    uploaded, archived = keeping.uploaded(0), keeping.archived(1)

    outcomes = keeping.purged()

    assert sorted(outcome.record.original.sha256 for outcome in outcomes) == sorted(
        record.original.sha256 for record in (uploaded, archived)
    )
    assert {type(outcome) for outcome in outcomes} == {Purged}
    stays = {*uploaded.keys, *archived.keys} - {uploaded.original.retained_key}
    assert own_keys(keeping) == sorted(stays)
    assert archived_keys(keeping) == []


def test_originals_are_stored_again(keeping: KeepingOnS3) -> None:
    uploaded, archived = keeping.uploaded(0), keeping.archived(1)

    keys = [keeping.restore.restored(each.id).stored.key for each in (uploaded, archived)]

    assert keys == [uploaded.original.retained_key, f"{keeping.owner.root}/2019/1.jpg"]
    assert own_keys(keeping) == [uploaded.original.retained_key]
    assert [keeping.store.get(key) for key in keys] == [painted_photo(0), painted_photo(1)]
    assert keeping.purged() == []


def test_source_that_was_replaced_stays(keeping: KeepingOnS3) -> None:
    keeping.archived(1)
    keeping.owner.put("2019/1.jpg", painted_photo(77))

    (outcome,) = keeping.purged()

    assert isinstance(outcome, Stays)
    assert outcome.why is Why.ORIGINAL_CHANGED
    assert keeping.owner.content("2019/1.jpg") == painted_photo(77)


def test_archive_whose_bucket_is_gone_does_not_keep_others_waiting(keeping: KeepingOnS3) -> None:
    away, here = keeping.archived(0), keeping.uploaded(1)
    keeping.owner.delete("2019/0.jpg")
    keeping.owner.client.remove_bucket(keeping.archive_bucket)

    outcomes = keeping.purged()

    assert [each.why for each in outcomes if isinstance(each, Stays)] == [Why.UNREACHABLE]
    assert Purged(here) in outcomes
    assert keeping.ledger.by_id(away.id) == away


def test_nothing_is_touched_while_the_server_is_down(s3_server: S3Server) -> None:
    keeping = keeping_on(s3_server, FakeLedger())
    record = keeping.uploaded(0)

    with s3_server.outage():
        with pytest.raises(Unavailable):
            keeping.purged()
        with pytest.raises(Unavailable):
            keeping.restore.restored(record.id)

    assert keeping.ledger.by_id(record.id) == record
    assert keeping.purged() == [Purged(record)]
