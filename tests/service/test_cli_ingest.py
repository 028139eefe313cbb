"""The real command in a process of its own, with SQLite, a folder and a small real model."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.adapters.folder import FolderStore
from service.api.schemas import PhotoAnswer
from tests.painted import BLUE, painted_photo
from tests.service.commands import COMMAND, Workplace, workplace_in


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return workplace_in(tmp_path)


def paint(workplace: Workplace, count: int) -> Path:
    folder = workplace.folder / "photos"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:03d}.jpg").write_bytes(painted_photo(number))
    return folder


def counts(table: str) -> dict[str, int]:
    """The summary's counts by what they count."""
    rows = re.findall(r"^([a-z ]+?) {2,}([\d,]+)(?: |$)", table, re.MULTILINE)
    return {name: int(count.replace(",", "")) for name, count in rows}


def records(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_folder_is_taken_in_and_summed_up(workplace: Workplace) -> None:
    folder = paint(workplace, 3)
    (folder / "again.jpg").write_bytes((folder / "000.jpg").read_bytes())
    (folder / "doubtful.jpg").write_bytes(painted_photo(9, colour=BLUE))
    (folder / ".hidden").write_text("no photo")
    done = workplace.run("ingest", "photos")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    summed = counts(done.stdout)
    assert summed["photos"] == 5
    assert summed["cropped"] + summed["kept as they came"] + summed["already stored"] == 5
    assert "low_confidence 1" in done.stdout
    assert re.search(r"saved +[\d.]+ kB +\d\d\.\d%", done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_is_the_apis_record_a_line(workplace: Workplace) -> None:
    paint(workplace, 2)
    done = workplace.run("ingest", "--json", "photos/001.jpg", "photos/000.jpg")
    assert done.returncode == 0, done.stderr
    answers = [PhotoAnswer.model_validate(record) for record in records(done.stdout)]
    assert [answer.source for answer in answers] == ["ingest", "ingest"]
    sizes = [(workplace.folder / "photos" / name).stat().st_size for name in ("001.jpg", "000.jpg")]
    assert [answer.original.bytes for answer in answers] == sizes
    assert counts(done.stderr)["photos"] == 2


def test_failures_are_lines_on_stderr_and_end_with_1(workplace: Workplace) -> None:
    folder = paint(workplace, 1)
    (folder / "notes [x]\x1b.txt").write_text("no photo")
    done = workplace.run("ingest", "--json", "photos")
    assert done.returncode == 1
    assert len(records(done.stdout)) == 1
    first = done.stderr.splitlines()[0]
    assert first.startswith("photos/notes [x]\\x1b.txt: ")
    assert first.endswith("(photo.unsupported)")


def test_store_that_cannot_be_written_ends_with_1_and_one_line_more(workplace: Workplace) -> None:
    paint(workplace, 2)
    done = workplace.run("ingest", "--json", "photos", "--store-url", "file:///proc/no/folder")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("metercrop: could not write")


def test_interrupted_ingest_says_how_far_it_came_and_goes_on_from_there(
    workplace: Workplace,
) -> None:
    paint(workplace, 80)
    with workplace.start("ingest", "--json", "photos") as running:
        assert running.stdout is not None
        assert running.stderr is not None
        first = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        told = records(first + running.stdout.read())
        errors = running.stderr.read()
    assert running.returncode == 130
    assert f"stopped; {len(told)} of 80 photos are done" in errors
    assert 1 <= len(told) < 80
    store = FolderStore(workplace.folder / "metercrop-data" / "objects")
    assert {stored.key for stored in store.objects()} == {
        each[part]["key"] for each in told for part in ("stored", "context")
    }
    assert not list(store.root.rglob("*.part"))

    again = workplace.run("ingest", "photos")
    assert again.returncode == 0
    assert counts(again.stdout)["already stored"] == len(told)
    assert counts(again.stdout)["cropped"] == 80 - len(told)


def test_terminal_gets_a_progress_bar(workplace: Workplace) -> None:
    paint(workplace, 6)
    seen = on_terminal(workplace, "ingest", "photos")
    assert "6/6" in seen
    assert "━" in seen


def on_terminal(workplace: Workplace, *arguments: str) -> str:
    """What a terminal is sent on stderr, while stdout is a file."""
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=workplace.folder,
        env={**workplace.environment, "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=end,
    ):
        os.close(end)
        chunks = []
        try:
            while chunk := os.read(terminal, 4096):
                chunks.append(chunk)
        except OSError:  # how Linux says that the last writer has closed the terminal
            pass
        finally:
            os.close(terminal)
    return b"".join(chunks).decode()
