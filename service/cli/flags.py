"""A flag for every setting, made from the fields of `Settings`, so that none is ever missing.

What such a command refuses, it refuses in one line on stderr.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from service.core.errors import MetercropError
from service.settings import Settings, flag

Flags = Mapping[str, str]
"""The settings given on the command line, by field name; `read_settings` takes them."""

PANEL = "Settings, each also METERCROP_... in the environment or in .env"

ALL = tuple(Settings.model_fields)
DATABASE = ("home", "database_url")
STORAGE = (
    *DATABASE,
    "store_url",
    "s3_endpoint",
    "s3_access_key",
    "s3_secret_key",
    "s3_region",
    "s3_secure",
    "max_concurrent_megapixels",
)
MONEY = ("price_per_gb_month", "min_billable_bytes", "currency", "savings_days")
WORK = tuple(name for name in ALL if name not in ("auth", "job_folders", *MONEY))


def takes_settings(*fields: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds a flag for each field; the command finds those that were given in `flags`."""

    def with_flags(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(**arguments: Any) -> None:  # noqa: ANN401  whatever the command declares
            given = {name: arguments.pop(name) for name in fields}
            flags = {name: value for name, value in given.items() if value is not None}
            with _reported():
                command(**arguments, flags=flags)

        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [parameter for parameter in own if parameter.name != "flags"]
        parameters += [_parameter(name, Settings.model_fields[name]) for name in fields]
        # typer reads both: the signature for the order, the annotations for the types.
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return with_flags


@contextmanager
def _reported() -> Iterator[None]:
    """Our own errors become one line: exit 2 for a wrong setting, 1 for all else."""
    try:
        yield
    except MetercropError as error:
        typer.echo(f"metercrop: {error}", err=True)
        raise typer.Exit(2 if error.code.startswith("settings.") else 1) from error


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """Always text: pydantic reads it as it reads the environment, and complains as clearly."""
    option = typer.Option(
        flag(name), help=_help(field), rich_help_panel=PANEL, metavar="", show_default=False
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[str | None, option],
    )


def _help(field: FieldInfo) -> str:
    """What it means and its default, where the description does not say that itself."""
    description = field.description or ""
    default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    silent = default in ("", "None") or "unset:" in description
    return description if silent else f"{description} Default: {default}"
