"""A bar for what is counted while nobody knows how many there are."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn


class CountingBar:
    """Drawn on a terminal only; it moves, and says how far the work has come."""

    def __init__(self, console: Console, name: str) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[done]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            redirect_stdout=False,
        )
        self._task: TaskID = self._bar.add_task(name, total=None, done="")

    def start(self) -> None:
        self._bar.start()

    def stop(self) -> None:
        self._bar.stop()

    def tell(self, done: str) -> None:
        self._bar.update(self._task, advance=1, done=done)
