"""What users set, in step with the commands' flags and with what is promised of each."""

import re
from pathlib import Path

import pytest
import typer.main

from service import bootstrap
from service.adapters.folder import FolderStore
from service.cli.app import application
from service.core.errors import Misconfigured
from service.settings import BUNDLED_MODEL, PREFIX, Settings, flag, masked, read_settings, variable

PROMISED = {
    "METERCROP_HOME": "metercrop-data",
    "METERCROP_DATABASE_URL": "sqlite:///$HOME/metercrop.db",
    "METERCROP_STORE_URL": "file://$HOME/objects",
    "METERCROP_S3_ENDPOINT": "",
    "METERCROP_S3_ACCESS_KEY": "",
    "METERCROP_S3_SECRET_KEY": "",
    "METERCROP_S3_REGION": "us-east-1",
    "METERCROP_S3_SECURE": True,
    "METERCROP_DEVICE": "auto",
    "METERCROP_MODEL": str(BUNDLED_MODEL),
    "METERCROP_MARGIN": 0.25,
    "METERCROP_MIN_CONFIDENCE": None,
    "METERCROP_ENCODING": "auto",
    "METERCROP_ARCHIVE_ENCODING": None,
    "METERCROP_KEEP_ORIGINALS_DAYS": 0,
    "METERCROP_KEEP_GPS": False,
    "METERCROP_CONTEXT_PX": 320,
    "METERCROP_MAX_BYTES": 50_000_000,
    "METERCROP_MAX_PIXELS": 100_000_000,
    "METERCROP_MAX_CONCURRENT_MEGAPIXELS": None,
    "METERCROP_JOB_FOLDERS": "",
    "METERCROP_AUTH": None,
    "METERCROP_PRICE_PER_GB_MONTH": 0.023,
    "METERCROP_MIN_BILLABLE_BYTES": 0,
    "METERCROP_CURRENCY": "USD",
    "METERCROP_SAVINGS_DAYS": 0,
}
"""Every variable with its default; $HOME is METERCROP_HOME."""

FOLDERS = "must be absolute folders without . and .. segments"
A_DATABASE = "must begin with sqlite:/// or postgresql://"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No variable and no `.env` of this machine is seen."""
    monkeypatch.chdir(tmp_path)
    for name in PROMISED:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def complaint(**flags: str) -> str:
    with pytest.raises(Misconfigured) as refused:
        read_settings(flags)
    assert refused.value.code == "settings.invalid"
    return str(refused.value)


def test_settings_and_defaults_are_those_that_are_promised(empty_folder: Path) -> None:
    home = str(empty_folder / "metercrop-data")
    expected = {
        name: value.replace("$HOME", home) if isinstance(value, str) else value
        for name, value in PROMISED.items()
    } | {"METERCROP_HOME": home}
    assert read_settings({}).printable() == expected


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_command_has_a_flag_for_every_setting(command: str) -> None:
    parameters = typer.main.get_group(application()).commands[command].params
    flags = {option for parameter in parameters for option in parameter.opts}
    assert {flag(name) for name in Settings.model_fields} <= flags


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_variable_and_flag_have_the_fields_name() -> None:
    assert variable("s3_access_key") == "METERCROP_S3_ACCESS_KEY"
    assert flag("s3_access_key") == "--s3-access-key"


def test_flag_comes_before_variable_before_env_file(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (empty_folder / ".env").write_text(
        "METERCROP_MARGIN=0.1\nMETERCROP_MAX_BYTES=10\nMETERCROP_MAX_PIXELS=20\nOTHER=x\n"
    )
    monkeypatch.setenv("METERCROP_MAX_BYTES", "30")
    monkeypatch.setenv("METERCROP_MAX_PIXELS", "40")
    settings = read_settings({"max_pixels": "50"})
    assert (settings.margin, settings.max_bytes, settings.max_pixels) == (0.1, 30, 50)


def test_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERCROP_MIN_CONFIDENCE", "")
    assert read_settings({}).min_confidence is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MARGIN", "-1", "must be at least 0, is -1"),
        ("MARGIN", "11", "must be at most 10, is 11"),
        ("MARGIN", "wide", "must be a number, is wide"),
        ("MIN_CONFIDENCE", "1.5", "must be at most 1, is 1.5"),
        ("MIN_CONFIDENCE", "nan", "must be at most 1, is nan"),
        ("MAX_BYTES", "0", "must be more than 0, is 0"),
        ("MAX_BYTES", "50 MB", "must be a whole number, is 50 MB"),
        ("MAX_PIXELS", "1.5", "must be a whole number, is 1.5"),
        ("MAX_CONCURRENT_MEGAPIXELS", "inf", "must be a number, is inf"),
        ("KEEP_ORIGINALS_DAYS", "99999999999", "must be at most 36500, is 99999999999"),
        ("CONTEXT_PX", "-1", "must be at least 0, is -1"),
        ("CONTEXT_PX", "4000", "must be at most 2048, is 4000"),
        ("KEEP_GPS", "maybe", "must be true or false, is maybe"),
        ("DEVICE", "gpu", "must be auto, cpu or cuda, is gpu"),
        ("ENCODING", "png", "must be auto, jpeg-lossless, jpeg, webp or avif, is png"),
        ("AUTH", "yes", "must be on or off, is yes"),
        ("DATABASE_URL", "mysql://a:b@c/d", f"{A_DATABASE}, is mysql://a:***@c/d"),
        ("STORE_URL", "/srv/photos", "must begin with file:/// or s3://, is /srv/photos"),
        ("JOB_FOLDERS", "/mnt:photos", f"{FOLDERS}, is photos"),
        ("JOB_FOLDERS", "/mnt/../etc", f"{FOLDERS}, is /mnt/../etc"),
        ("HOME", "~nobody-here/x", "there is no home folder for ~nobody-here/x"),
    ],
)  # fmt: skip
def test_wrong_value_is_refused_in_words(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    assert complaint() == f"{PREFIX}{name}: {said}"


def test_wrong_flag_is_named_as_a_flag() -> None:
    assert complaint(max_bytes="x") == "--max-bytes: must be a whole number, is x"


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METERCROP_MARGIN", "-1")
    assert set(complaint(device="gpu").split("; ")) == {
        "METERCROP_MARGIN: must be at least 0, is -1",
        "--device: must be auto, cpu or cuda, is gpu",
    }


def test_env_file_that_is_no_text_is_refused(empty_folder: Path) -> None:
    (empty_folder / ".env").write_bytes(b"METERCROP_MARGIN=\xff\xfe")
    assert "not UTF-8" in complaint()


def test_secrets_are_never_shown() -> None:
    settings = read_settings(
        {"s3_secret_key": "hunter2", "database_url": "postgresql://me:hunter2@db/metercrop"}
    )
    assert "hunter2" not in f"{settings.printable()}{settings.s3_secret_key!r}"
    assert settings.printable()["METERCROP_DATABASE_URL"] == "postgresql://me:***@db/metercrop"
    assert settings.s3_secret_key.get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:p%40w@db:5432/m?sslmode=require", "postgresql://me:***@db:5432/m?sslmode=require"),
        ("postgresql://me:p@ss/w@db/m", "postgresql://me:***@db/m"),
        ("postgresql:///m?host=/run&password=pw", "postgresql:///m?host=/run&password=***"),
        ("postgresql://db/m", "postgresql://db/m"),
        ("sqlite:////srv/a:b@c.db", "sqlite:////srv/a:b@c.db"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
    ],
)  # fmt: skip
def test_password_in_an_address_is_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize("name", ["plain", "with space", "per%20cent", "hash#mark?"])
def test_object_folder_lies_in_the_home_folder_whatever_its_name(
    name: str, empty_folder: Path
) -> None:
    settings = read_settings({"home": name})
    store = bootstrap.store_of(settings)
    assert isinstance(store, FolderStore)
    assert store.root == empty_folder / name / "objects"


@pytest.mark.parametrize("name", ["plain", "with space", "per%20cent", "hash#mark?"])
def test_embedded_database_lies_in_the_home_folder_whatever_its_name(
    name: str, empty_folder: Path
) -> None:
    settings = read_settings({"home": name})
    bootstrap.migrate_database(settings)
    assert (empty_folder / name / "metercrop.db").is_file()


def test_relative_home_is_taken_from_the_working_folder(empty_folder: Path) -> None:
    assert read_settings({"home": "here"}).home == empty_folder / "here"


def test_no_setting_can_be_changed_later() -> None:
    settings = read_settings({})
    with pytest.raises(ValueError, match="frozen"):
        settings.margin = 0.5


def test_setting_names_are_plain_words() -> None:
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in Settings.model_fields)


def test_folders_of_jobs_are_told_apart_by_colons() -> None:
    assert read_settings({"job_folders": "/mnt/a:/mnt/b c"}).folders_for_jobs == (
        "/mnt/a",
        "/mnt/b c",
    )
    assert read_settings({}).folders_for_jobs == ()


def test_a_bundled_model_is_known_by_its_name(empty_folder: Path) -> None:
    named = read_settings({"model": "attention-unet-16"}).model
    assert named == BUNDLED_MODEL.with_name("attention-unet-16.onnx")
    assert read_settings({"model": "mine"}).model == empty_folder / "mine"
    assert (
        read_settings({"model": "./attention-unet-16"}).model == empty_folder / "attention-unet-16"
    )
