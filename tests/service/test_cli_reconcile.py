"""`metercrop reconcile`, with SQLite and a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.painted import painted_photo
from tests.service.commands import Workplace, workplace_in


@pytest.fixture
def workplace(tmp_path: Path, sqlite_url: str) -> Workplace:
    store_url = (tmp_path / "kept").as_uri()
    return workplace_in(tmp_path, METERCROP_DATABASE_URL=sqlite_url, METERCROP_STORE_URL=store_url)


@pytest.fixture
def stored_key(workplace: Workplace) -> str:
    """Of a photo that was taken in."""
    (workplace.folder / "meter.jpg").write_bytes(painted_photo())
    done = workplace.call("ingest", str(workplace.folder / "meter.jpg"), "--json")
    key: str = json.loads(done.stdout.splitlines()[0])["stored"]["key"]
    return key


def test_everything_in_its_place_ends_with_0(workplace: Workplace, stored_key: str) -> None:
    done = workplace.call("reconcile")

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1].split() == ["differences", "left", "0"]


def test_missing_object_is_named_and_ends_with_1(workplace: Workplace, stored_key: str) -> None:
    (workplace.folder / "kept" / stored_key).unlink()

    done = workplace.call("reconcile")

    assert done.exit_code == 1
    assert done.stdout.startswith(f"missing: {stored_key} of photo ")


def test_orphan_is_deleted_by_repair_and_told_as_json(
    workplace: Workplace, stored_key: str
) -> None:
    orphan = workplace.folder / "kept" / "crops" / "nobody.jpg"
    orphan.write_bytes(b"left by a crash")
    os.utime(orphan, (0, 0))

    before = workplace.call("reconcile")
    repaired = workplace.call("reconcile", "--repair", "--json")

    assert before.exit_code == 1
    assert "orphan: crops/nobody.jpg, 15 B, is in no record" in before.stdout
    assert repaired.exit_code == 0, repaired.output
    difference, compared = map(json.loads, repaired.stdout.splitlines())
    assert (difference["fault"], difference["is_repaired"]) == ("orphan", True)
    assert (compared["repaired"], compared["open"]) == (1, 0)
    assert not orphan.exists()
    assert workplace.call("reconcile").exit_code == 0
