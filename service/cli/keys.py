"""`metercrop keys create`, `list`, `revoke`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.flags import DATABASE, Flags, takes_settings
from service.cli.options import AsJson
from service.core.access import ApiKey, Scope
from service.core.figures import printable
from service.ports import Ledger
from service.settings import read_settings
from service.usecases.keys import create_key, revoke_key


def application() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, help="Creates, lists and revokes API keys.")
    for name, command in (("create", create), ("list", show_all), ("revoke", revoke)):
        app.command(name)(command)
    return app


@takes_settings(*DATABASE)
def create(
    more_scopes: Annotated[
        list[Scope] | None, typer.Argument(metavar="[SCOPE]", hidden=True)
    ] = None,
    *,
    name: Annotated[str, typer.Option(metavar="", help="Who or what uses the key.")],
    scope: Annotated[
        list[Scope],
        typer.Option(metavar="", help="upload, read, jobs or admin, which holds all; repeatable."),
    ],
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Creates a key and shows it, this once.

    Example: `metercrop keys create --name reader-app --scope upload --scope read`
    """
    scopes = frozenset([*scope, *(more_scopes or [])])
    with _ledger(flags) as ledger:
        key, secret = create_key(ledger, name, scopes=scopes, at=datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps({**_account(key), "key": secret}))
        return
    typer.echo(secret)
    typer.echo(
        f"This is the key {key.id}; it is not shown again. Send it as Authorization: Bearer KEY.",
        err=True,
    )


@takes_settings(*DATABASE)
def show_all(*, as_json: AsJson = False, flags: Flags) -> None:
    """Lists all keys, revoked ones too.

    Example: `metercrop keys list`
    """
    with _ledger(flags) as ledger:
        keys = ledger.keys()
    if as_json:
        typer.echo(json.dumps([_account(key) for key in keys], indent=2))
    else:
        Console(highlight=False).print(_table(keys))


@takes_settings(*DATABASE)
def revoke(
    key_id: Annotated[UUID, typer.Argument(metavar="ID", help="As keys list shows it.")],
    *,
    as_json: AsJson = False,
    flags: Flags,
) -> None:
    """Revokes a key at once and for good.

    Example: `metercrop keys revoke 0199e3c4-7d1a-7c52-b8a4-4c8d2f6e9a10`
    """
    with _ledger(flags) as ledger:
        key = revoke_key(ledger, key_id, at=datetime.now(UTC))
    typer.echo(json.dumps(_account(key)) if as_json else f"the key {key.id} is revoked")


@contextmanager
def _ledger(flags: Flags) -> Iterator[Ledger]:
    from service import bootstrap  # noqa: PLC0415  heavy; --help does without

    with bootstrap.opened_ledger(read_settings(flags)) as ledger:
        yield ledger


def _account(key: ApiKey) -> dict[str, str | list[str] | None]:
    return {
        "id": str(key.id),
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": _rfc_3339(key.created_at),
        "revoked_at": _rfc_3339(key.revoked_at) if key.revoked_at else None,
    }


def _rfc_3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _table(keys: tuple[ApiKey, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("id", min_width=36)  # to be copied whole, however narrow the terminal
    table.add_column("name", overflow="fold")
    table.add_column("may")
    table.add_column("created", no_wrap=True)
    for key in keys:
        may = (
            f"revoked {key.revoked_at:%Y-%m-%d}"
            if key.revoked_at
            else ", ".join(sorted(key.scopes))
        )
        table.add_row(str(key.id), Text(printable(key.name)), may, f"{key.created_at:%Y-%m-%d}")
    return table
