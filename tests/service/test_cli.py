"""What all commands have in common."""

from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from service.cli.app import application
from tests.service.commands import Workplace, workplace_in


def command_lines() -> list[tuple[str, ...]]:
    """Every command with the words that call it."""
    group = typer.main.get_group(application())
    return [line for name, command in group.commands.items() for line in _lines((name,), command)]


def _lines(words: tuple[str, ...], command: object) -> list[tuple[str, ...]]:
    if not isinstance(command, TyperGroup):
        return [words]
    return [
        line for name, each in command.commands.items() for line in _lines((*words, name), each)
    ]


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return workplace_in(tmp_path)


def test_there_are_the_commands_that_are_promised() -> None:
    assert {" ".join(line) for line in command_lines()} >= {
        "serve", "ingest", "reprocess", "jobs", "worker", "savings", "restore", "purge",
        "migrate", "doctor",
        "keys create", "keys list", "keys revoke",
    }  # fmt: skip


@pytest.mark.parametrize("line", command_lines(), ids=" ".join)
def test_help_shows_an_example_that_begins_with_the_command(
    line: tuple[str, ...], workplace: Workplace
) -> None:
    shown = workplace.call(*line, "--help")
    assert shown.exit_code == 0
    assert f"Example: metercrop {' '.join(line)}" in shown.stdout


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("serve", "--nonsense"), ("serve", "--port", "70000"), ("ingest",),
     ("ingest", "no-such-file.jpg"), ("savings", "--from", "yesterday"), ("keys", "revoke", "x")],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], workplace: Workplace) -> None:
    refused = workplace.call(*arguments)
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert "Error" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [("serve",), ("ingest", "."), ("savings",), ("migrate",), ("keys", "list"),
     ("keys", "create", "--name", "n", "--scope", "read")],
    ids=" ".join,
)  # fmt: skip
def test_wrong_setting_ends_with_2_and_one_line_that_names_it(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    refused = workplace_in(tmp_path, METERCROP_MARGIN="-1").call(*arguments)
    assert refused.exit_code == 2
    assert refused.stderr == "metercrop: METERCROP_MARGIN: must be at least 0, is -1\n"


@pytest.mark.parametrize("arguments", [("savings",), ("migrate",), ("keys", "list")], ids=" ".join)
def test_database_that_does_not_answer_ends_with_1_and_one_line(
    arguments: tuple[str, ...], workplace: Workplace
) -> None:
    failed = workplace.call(*arguments, "--database-url", "postgresql://me:secret@127.0.0.1:1/m")
    assert failed.exit_code == 1
    assert failed.stderr.count("\n") == 1
    assert "the database m at 127.0.0.1:1 does not answer" in failed.stderr
    assert "secret" not in failed.output


def test_folder_that_cannot_be_made_ends_with_2_and_one_line(workplace: Workplace) -> None:
    (workplace.folder / "file").write_text("no folder")
    failed = workplace.call("savings", "--home", str(workplace.folder / "file" / "home"))
    assert failed.exit_code == 2
    assert failed.stderr.count("\n") == 1
    assert "cannot make the database's folder" in failed.stderr


def test_help_waits_for_no_heavy_library(workplace: Workplace) -> None:
    heavy = ("onnxruntime", "sqlalchemy", "fastapi", "jpeglib", "minio")
    code = f"""
import sys
from service.cli import main
try:
    main()
finally:
    print("loaded:", sorted(set({heavy}) & set(sys.modules)))
"""
    shown = workplace.run_python(code, "--help")
    assert "Keeps what matters" in shown.stdout
    assert "loaded: []" in shown.stdout
