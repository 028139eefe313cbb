"""The command `metercrop` as people run it, in a folder of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import typer.testing

import service
from service.cli.app import application
from service.settings import PREFIX
from tests.segmenters import colour_model

COMMAND = "from service.cli import main; main()"
TIMEOUT_S = 180.0
"""A limit for a busy machine: no command is expected to take so long."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """A folder with a model; nothing set on this machine reaches the commands run in it."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        root = str(Path(service.__file__).parent.parent)
        return {**kept, "PYTHONPATH": root, "COLUMNS": "80", **self.settings}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own."""
        return self.run_python(COMMAND, *arguments)

    def run_python(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    def start(self, *arguments: str, output: IO[str] | None = None) -> subprocess.Popen[str]:
        """The same, while it runs; `output` takes what it prints, where nobody reads its pipes."""
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=output or subprocess.PIPE,
            stderr=output or subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments: str) -> typer.testing.Result:
        """In this process: quicker, for commands that leave nothing behind in it."""
        cleared = dict.fromkeys(name for name in os.environ if name.startswith(PREFIX))
        environment = {**cleared, "COLUMNS": "80", **self.settings}
        with chdir(self.folder):
            runner = typer.testing.CliRunner()
            try:
                return runner.invoke(application(), list(arguments), env=environment)
            finally:
                logging.getLogger().handlers.clear()  # they write to what is closed by now


def workplace_in(folder: Path, **settings: str) -> Workplace:
    """With the tiny model; settings by their variables' names."""
    return Workplace(folder, {"METERCROP_MODEL": str(colour_model(folder)), **settings})
