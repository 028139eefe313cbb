"""How commands that work for long are stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

import typer

INTERRUPTED = 130
"""What shells expect of a command that Ctrl-C ended."""


@contextmanager
def stopped_by_signals() -> Iterator[Event]:
    """Set by the first Ctrl-C or SIGTERM; a second one ends the process where it stands."""
    stop = Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_of_pass(stop: Event, *, is_all_well: bool) -> None:
    """Ends the command with 1 where somebody has to look, and as interrupted where it was."""
    if not is_all_well:
        raise typer.Exit(1)
    if stop.is_set():
        typer.echo("metercrop: stopped; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED)
