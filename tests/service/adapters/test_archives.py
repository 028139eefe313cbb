"""Archives are opened by their addresses, with one account and one client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.adapters.archive_folder import FolderArchive
from service.adapters.archive_s3 import S3Archive
from service.adapters.archives import OpenedArchives
from service.adapters.s3 import S3Store
from service.adapters.s3_client import S3Account
from service.core.errors import RequestRejected

ACCOUNT = S3Account("127.0.0.1:1", "access", "secret", "us-east-1", secure=False)


def test_folders_need_no_account(tmp_path: Path) -> None:
    opened = OpenedArchives(None).opened(f"file://{tmp_path}")
    assert opened == FolderArchive(tmp_path)


def test_all_buckets_share_one_client() -> None:
    archives = OpenedArchives(ACCOUNT)
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(archives.opened, ["s3://one", "s3://two"] * 8))
    clients = [archive.client for archive in opened if isinstance(archive, S3Archive)]
    store = archives.store("s3://three")
    assert isinstance(store, S3Store)
    assert {id(client) for client in (*clients, store.client)} == {id(clients[0])}
    assert len(clients) == 16
    assert opened[0] is opened[2]


@pytest.mark.parametrize(
    "account",
    [
        None,
        S3Account("host:1", "", "secret", "us-east-1", secure=True),
        S3Account("host:1", "access", "", "us-east-1", secure=True),
    ],
)
def test_bucket_without_an_account_names_the_settings(account: S3Account | None) -> None:
    with pytest.raises(RequestRejected, match="METERCROP_S3_ACCESS_KEY and") as refusal:
        OpenedArchives(account).opened("s3://bucket")
    assert refusal.value.code == "field.invalid"


def test_unreadable_endpoint_names_the_setting() -> None:
    account = S3Account("http://host:1", "access", "secret", "us-east-1", secure=True)
    with pytest.raises(RequestRejected, match="METERCROP_S3_ENDPOINT is"):
        OpenedArchives(account).store("s3://bucket")


@pytest.mark.parametrize(
    "root",
    ["", "s3://", "s3://a..b", "s3://1.2.3.4", "ftp://host", "file://host/a", "file:///../a"],
)
def test_what_is_no_root_is_refused(root: str) -> None:
    for open_ in (OpenedArchives(ACCOUNT).opened, OpenedArchives(ACCOUNT).store):
        with pytest.raises(RequestRejected) as refusal:
            open_(root)
        assert refusal.value.code == "field.invalid"
