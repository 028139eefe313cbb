"""`metercrop doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.cli.diagnosis import Fact, Facts, Finding, examined, findings, versions
from service.cli.flags import ALL, Flags, takes_settings
from service.cli.options import AsJson
from service.core.errors import Misconfigured
from service.core.figures import printable, size
from service.settings import PREFIX, read_settings


@takes_settings(*ALL)
def doctor(*, as_json: AsJson = False, flags: Flags) -> None:
    """Tries every part, and says what is wrong and what to do.

    Example: `metercrop doctor --json`
    """
    found = list(_found(flags))
    problems = [problem for finding in found for problem in finding.problems]
    if as_json:
        parts = {finding.part: finding.facts for finding in found}
        typer.echo(json.dumps({"ok": not problems, "problems": problems, **parts}, indent=2))
    else:
        _print(found, problems)
    if problems:
        raise typer.Exit(1)


def _found(flags: Flags) -> Iterator[Finding]:
    try:
        settings = read_settings(flags)
    except Misconfigured as error:
        yield examined("versions", versions)
        yield Finding("settings", {}, tuple(str(error).split("; ")))
        return
    yield from findings(settings)


def _print(found: list[Finding], problems: list[str]) -> None:
    console = Console(highlight=False)
    for finding in found:
        console.print(_table(finding.facts, title=finding.part))
    for problem in problems:
        console.print(f"[bold red]wrong[/]  {escape(printable(problem))}", soft_wrap=True)
    if not problems:
        console.print("[bold green]all is well[/]")


def _table(facts: Facts, *, title: str) -> Table:
    """Values stand in one column over all tables; long ones fold."""
    table = Table(
        title=title, title_justify="left", title_style="bold", show_header=False, box=None
    )
    table.add_column(min_width=35, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(_label(name), _shown(name, value))
    return table


def _label(name: str) -> str:
    return name if name.startswith(PREFIX) else name.removesuffix("_bytes").replace("_", " ")


def _shown(name: str, value: Fact) -> str:
    match value:
        case None | "":
            return "[dim]not set[/]"
        case bool():
            return "yes" if value else "no"
        case int() if name.endswith("_bytes"):
            return size(value)
        case _:
            return escape(printable(str(value)))
