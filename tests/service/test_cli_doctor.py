import json
from pathlib import Path
from typing import Any

import pytest

from service.imaging.jpeg_native import is_available
from service.settings import Settings, variable
from tests.service.commands import Workplace, workplace_in


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return workplace_in(tmp_path, METERCROP_DEVICE="cpu")


def examined(workplace: Workplace, *arguments: str) -> dict[str, Any]:
    done = workplace.call("doctor", "--json", *arguments)
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.exit_code == (0 if document["ok"] else 1), done.output
    assert document["ok"] == (not document["problems"])
    return document


def test_healthy_machine_has_no_problems(workplace: Workplace) -> None:
    assert examined(workplace)["problems"] == []


def test_every_setting_is_shown_and_no_secret(workplace: Workplace) -> None:
    document = examined(workplace, "--s3-secret-key", "hunter2")
    assert set(document["settings"]) == {variable(name) for name in Settings.model_fields}
    assert "hunter2" not in json.dumps(document)


def test_model_is_described_as_it_really_runs(workplace: Workplace) -> None:
    model = examined(workplace, "--device", "cpu", "--min-confidence", "0.9")["model"]
    assert (model["name"], model["version"], model["licence"]) == ("colours", "1.0.0", "Apache-2.0")
    assert model["provider_in_use"] == "CPUExecutionProvider"
    assert model["batches"] == "one photo at a time"
    assert "CPUExecutionProvider" in model["providers_available"]
    assert model["min_confidence"] == 0.9
    assert model["inference_ms"] > 0
    assert len(model["sha256"]) == 64


def test_jpeg_crops_are_proved_to_be_exact(workplace: Workplace) -> None:
    assert examined(workplace)["codecs"]["jpeg_crops"] == "exact, cut from the coefficients"


def test_way_of_jpegs_is_named(workplace: Workplace) -> None:
    expected = "native" if is_available() else "library, slower"
    assert examined(workplace)["codecs"]["jpeg_path"] == expected


def test_server_runs_on_native_code(workplace: Workplace) -> None:
    machine = examined(workplace)["machine"]
    assert (machine["event_loop"], machine["http_parser"]) == ("uvloop", "httptools")


def test_store_and_database_are_really_tried(workplace: Workplace) -> None:
    workplace.call("migrate")
    document = examined(workplace)
    assert document["store"]["round_trip_ms"] > 0
    assert document["database"]["round_trip_ms"] > 0
    assert document["database"]["schema"] == "current"


def test_machine_is_measured(workplace: Workplace) -> None:
    machine = examined(workplace, "--max-concurrent-megapixels", "12")["machine"]
    assert machine["cpus"] >= 1
    assert machine["concurrent_megapixels"] == 12
    assert min(machine["memory_bytes"], machine["free_disk_bytes"]) > 0


def test_every_broken_part_is_named_and_none_hides_another(tmp_path: Path) -> None:
    broken = workplace_in(
        tmp_path,
        METERCROP_MODEL=str(tmp_path / "missing.onnx"),
        METERCROP_STORE_URL="file:///proc/no/folder",
        METERCROP_DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/m",
    )
    document = examined(broken)
    model, store, database = document["problems"]
    assert "missing.onnx" in model
    assert "/proc/no/folder" in store
    assert "127.0.0.1:1" in database
    assert document["codecs"]["jpeg_crops"]
    assert "hunter2" not in json.dumps(document)


def test_damaged_model_is_named(workplace: Workplace) -> None:
    model = workplace.folder / "colours.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    (problem,) = examined(workplace)["problems"]
    assert "restore the file or export it again" in problem


def test_s3_store_without_a_server_is_named(workplace: Workplace) -> None:
    document = examined(
        workplace, "--store-url", "s3://bucket", "--s3-endpoint", "127.0.0.1:1",
        "--s3-access-key", "key", "--s3-secret-key", "hunter2", "--s3-secure", "false",
    )  # fmt: skip
    (problem,) = document["problems"]
    assert "METERCROP_S3_ENDPOINT" in problem
    assert "hunter2" not in json.dumps(document)


def test_wrong_settings_are_each_a_problem(workplace: Workplace) -> None:
    document = examined(workplace, "--margin", "-1", "--device", "gpu")
    assert document["problems"] == [
        "--device: must be auto, cpu or cuda, is gpu",
        "--margin: must be at least 0, is -1",
    ]
    assert document["versions"]["numpy"]


def test_misspelt_variable_is_named_with_what_is_near(tmp_path: Path) -> None:
    document = examined(workplace_in(tmp_path, METERCROP_MARGN="0.3"))
    assert document["problems"] == ["METERCROP_MARGN is no setting; is METERCROP_MARGIN meant?"]


def test_page_for_people_shows_each_problem_in_one_line(workplace: Workplace) -> None:
    shown = workplace.call("doctor", "--model", "/no/[such]/model")
    assert shown.exit_code == 1
    (line,) = (line for line in shown.stdout.splitlines() if line.startswith("wrong"))
    assert "cannot read /no/[such]/model" in line
    assert "METERCROP_MODEL" in line


def test_page_for_people_ends_well_on_a_healthy_machine(workplace: Workplace) -> None:
    assert workplace.call("doctor").stdout.splitlines()[-1] == "all is well"
