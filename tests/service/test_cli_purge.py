"""`metercrop purge` and `metercrop restore`, with SQLite and a folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from service.adapters.sql.ledger import SqlLedger
from service.api.schemas import PhotoAnswer
from service.core.record import Record
from tests.retained import Keeping
from tests.servers.postgres import opened
from tests.service.commands import Workplace, workplace_in


@pytest.fixture
def workplace(tmp_path: Path, sqlite_url: str) -> Workplace:
    store_url = (tmp_path / "kept photos").as_uri()
    return workplace_in(tmp_path, METERCROP_DATABASE_URL=sqlite_url, METERCROP_STORE_URL=store_url)


@pytest.fixture
def records(workplace: Workplace, sqlite_url: str) -> list[Record]:
    """Three photos whose originals' grace is over."""
    with opened(sqlite_url) as engine:
        keeping = Keeping(SqlLedger(engine), workplace.folder / "kept photos")
        keeping.now = datetime.now(UTC)
        return [keeping.uploaded(seed) for seed in range(3)]


def object_of(workplace: Workplace, key: str | None) -> Path:
    assert key is not None
    return workplace.folder / "kept photos" / key


def test_purge_deletes_and_sums_up(workplace: Workplace, records: list[Record]) -> None:
    done = workplace.call("purge")

    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["purged", "3"]
    assert lines[1][0] == "freed"
    assert lines[2:] == [["kept", "by", "a", "lock", "0"], ["behind", "a", "delete", "marker", "0"]]
    for record in records:
        assert not object_of(workplace, record.original.retained_key).exists()
        assert object_of(workplace, record.stored.key).exists()


def test_dry_run_says_what_would_be_and_leaves_all(
    workplace: Workplace, records: list[Record]
) -> None:
    done = workplace.call("purge", "--dry-run", "--json")

    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "dry_run": True,
        "purged": 3,
        "freed_bytes": sum(record.original.bytes for record in records),
        "stay": {},
        "is_all_well": True,
    }
    assert all(object_of(workplace, each.original.retained_key).exists() for each in records)


def test_crop_that_is_not_whole_is_an_alarm(workplace: Workplace, records: list[Record]) -> None:
    object_of(workplace, records[1].stored.key).unlink()

    done = workplace.call("purge")

    assert done.exit_code == 1
    assert done.stderr.startswith(f"{records[1].id}: there is no object crops/")
    assert done.stderr.endswith("(crop_missing)\n")
    assert "stays, crop missing" in done.stdout
    assert object_of(workplace, records[1].original.retained_key).exists()
    assert not object_of(workplace, records[2].original.retained_key).exists()
    assert json.loads(workplace.call("purge", "--json").stdout)["stay"] == {"crop_missing": 1}


def test_store_that_is_away_ends_with_1_and_says_so(
    workplace: Workplace, records: list[Record]
) -> None:
    (workplace.folder / "kept photos").rename(workplace.folder / "elsewhere")

    done = workplace.call("purge")

    assert done.exit_code == 1
    assert "metercrop: " in done.stderr
    assert "kept photos" in done.stderr
    assert len(records) == 3


def test_restore_brings_the_original_back(workplace: Workplace, records: list[Record]) -> None:
    record = records[0]
    key = record.original.retained_key

    done = workplace.call("restore", str(record.id))

    assert done.exit_code == 0, done.output
    assert done.stdout == f"the original of photo {record.id} is stored as {key}\n"
    assert not object_of(workplace, record.stored.key).exists()
    assert json.loads(workplace.call("purge", "--json").stdout)["purged"] == 2
    assert object_of(workplace, key).exists()
    again = workplace.call("restore", "--json", str(record.id))
    assert PhotoAnswer.model_validate_json(again.stdout).reason == "restored"


def test_restore_of_what_is_gone_ends_with_1_and_one_line(
    workplace: Workplace, records: list[Record]
) -> None:
    workplace.call("purge")

    for photo_id, why in ((records[0].id, "is no longer kept"), (uuid4(), "there is no photo")):
        failed = workplace.call("restore", str(photo_id))
        assert failed.exit_code == 1
        assert failed.stderr.count("\n") == 1
        assert why in failed.stderr
