"""`metercrop recompress`, with SQLite and a folder."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import pytest

from service import bootstrap
from service.adapters.sql.ledger import SqlLedger
from service.core.errors import Misconfigured
from service.core.record import Record
from service.settings import read_settings
from tests.packing import without_codec
from tests.retained import Keeping
from tests.servers.postgres import opened
from tests.service.commands import Workplace, workplace_in

SETTING = "METERCROP_ARCHIVE_ENCODING"


@pytest.fixture
def workplace(tmp_path: Path, sqlite_url: str) -> Workplace:
    store_url = (tmp_path / "objects").as_uri()
    return workplace_in(
        tmp_path,
        METERCROP_DATABASE_URL=sqlite_url,
        METERCROP_STORE_URL=store_url,
        METERCROP_ARCHIVE_ENCODING="jxl",
    )


def unset(workplace: Workplace) -> Workplace:
    others = {name: value for name, value in workplace.settings.items() if name != SETTING}
    return Workplace(workplace.folder, others)


@pytest.fixture
def records(workplace: Workplace, sqlite_url: str) -> list[Record]:
    with opened(sqlite_url) as engine:
        keeping = Keeping(SqlLedger(engine), workplace.folder / "objects")
        return [keeping.uploaded(seed) for seed in range(3)]


def stored(workplace: Workplace, records: list[Record]) -> list[Record]:
    with opened(workplace.settings["METERCROP_DATABASE_URL"]) as engine:
        found = [SqlLedger(engine).by_id(record.id) for record in records]
    return [record for record in found if record is not None]


def test_crops_are_packed_and_summed_up(workplace: Workplace, records: list[Record]) -> None:
    done = workplace.call("recompress")

    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["packed", "3"]
    assert [line[0] for line in lines[1:]] == ["bytes", "bytes", "saved"]
    assert all(record.stored.is_packed for record in stored(workplace, records))
    assert workplace.call("reconcile").exit_code == 0
    again = workplace.call("recompress", "--json")
    assert json.loads(again.stdout)["packed"] == 0
    assert again.stderr == "nothing to pack: new crops are left alone for 10 minutes\n"


def test_dry_run_and_limit_say_what_would_be(workplace: Workplace, records: list[Record]) -> None:
    done = workplace.call("recompress", "--dry-run", "--limit", "2", "--json")

    document = json.loads(done.stdout)
    assert document["dry_run"] is True
    assert document["packed"] == 2
    assert document["saved_bytes"] == document["bytes_before"] - document["bytes_now"] > 0
    assert (document["stay"], document["is_all_well"]) == ({}, True)
    assert stored(workplace, records) == records
    assert "would be packed" in workplace.call("recompress", "--dry-run").stdout


def test_crop_that_is_not_whole_is_an_alarm(workplace: Workplace, records: list[Record]) -> None:
    (workplace.folder / "objects" / records[1].stored.key).unlink()

    done = workplace.call("recompress")

    assert done.exit_code == 1
    assert done.stderr.startswith(f"{records[1].id}: there is no object under its key: crops/")
    assert done.stderr.endswith("(crop_missing)\n")
    assert "stays, crop missing" in done.stdout
    assert json.loads(workplace.call("recompress", "--json").stdout)["stay"] == {"crop_missing": 1}


def test_undo_brings_every_jpeg_back(workplace: Workplace, records: list[Record]) -> None:
    workplace.call("recompress")

    refused = workplace.call("recompress", "--undo")
    undone = unset(workplace).call("recompress", "--undo", "--json")

    assert refused.exit_code == 2
    assert f"{SETTING} is set" in refused.stderr
    document = json.loads(undone.stdout)
    assert (document["unpacked"], document["saved_bytes"] < 0) == (3, True)
    assert not any(record.stored.is_packed for record in stored(workplace, records))


def test_without_the_setting_it_asks_for_it(workplace: Workplace, records: list[Record]) -> None:
    bare = unset(workplace)

    refused = bare.call("recompress")

    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert "--archive-encoding jxl" in refused.stderr
    assert bare.call("recompress", "--archive-encoding", "jxl").exit_code == 0


def test_unknown_encoding_is_refused(workplace: Workplace) -> None:
    refused = workplace.call("recompress", "--archive-encoding", "zip")
    assert refused.exit_code == 2
    assert refused.stderr == "metercrop: --archive-encoding: must be jxl, is zip\n"


def test_missing_library_is_named_with_what_brings_it(workplace: Workplace) -> None:
    with without_codec():
        refused = workplace.call("recompress")
        document = json.loads(workplace.call("doctor", "--json").stdout)
    assert refused.exit_code == 2
    assert "pip install 'metercrop[jxl]'" in refused.stderr
    (problem,) = document["problems"]
    assert SETTING in problem
    assert "metercrop[jxl]" in problem
    assert document["archive_tier"]["encoding"] == "jxl"


def test_doctor_names_the_library_that_is_there(workplace: Workplace) -> None:
    document = json.loads(workplace.call("doctor", "--json").stdout)
    assert document["problems"] == []
    assert document["archive_tier"]["imagecodecs"][0].isdigit()


def test_workers_do_the_same_where_it_is_set(
    workplace: Workplace, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace.folder)
    for name, value in workplace.settings.items():
        monkeypatch.setenv(name, value)
    settings = read_settings({})
    machine = bootstrap.assembled(settings, threads=1)

    unasked = settings.model_copy(update={"archive_encoding": None})
    bootstrap.worker_of(unasked, machine, stop=Event())._recompress()
    assert stored(workplace, records) == records

    with without_codec():
        for start in (
            lambda: bootstrap.worker_of(settings, machine, stop=Event()),
            lambda: bootstrap.api_of(settings, machine, host="127.0.0.1"),
        ):
            with pytest.raises(Misconfigured, match=r"metercrop\[jxl\]"):
                start()

    bootstrap.worker_of(settings, machine, stop=Event())._recompress()
    assert all(record.stored.is_packed for record in stored(workplace, records))
