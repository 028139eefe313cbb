"""Recipes as files: found by name, taken up by one another, and varied.

`extends = "mao"` takes over what another recipe says. What a file says itself goes before: a table
is overlaid key by key, a list (`[[data]]`, `[[stage]]`) replaced whole, and so is a table that says
another `kind`, or another network's `name`.

`[variants.NAME]` overlays the recipe in the same way when it is asked for as `RECIPE+NAME`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Table = dict[str, Any]

SHIPPED = Path(__file__).parent / "recipes"
VARIED_BY = "+"
KINDS = {"network": "name", "loss": "kind", "optimizer": "kind", "schedule": "kind"}
"""What, said anew, leaves nothing of a table below: its other options would not fit."""


def shipped() -> list[str]:
    """The names of the recipes of this package; a file without a network is only extended."""
    names = sorted(file.stem for file in SHIPPED.glob("*.toml"))
    return [name for name in names if "network" in table_of(name)]


def variants_of(reference: str) -> list[str]:
    """What may follow `reference`, each after a `+`."""
    return sorted(_extended(_file_of(reference)).get("variants", {}))


def table_of(reference: str | Path) -> Table:
    """All that the recipe called `reference` says, `extends` and variants resolved.

    `reference` is a file or a shipped recipe's name, followed by `+` and a variant for each that is
    wanted. Raises FileNotFoundError where there is none, ValueError for one that cannot be read.
    """
    path, chosen = _parts(str(reference))
    table = _extended(path)
    variants = table.pop("variants", {})
    for one in chosen:
        if one not in variants:
            known = ", ".join(sorted(variants)) or "none"
            raise ValueError(f"the recipe {path} has no variant {one!r}; it has: {known}")
        varied = {"name": f"{table['name']}-{one}", **variants[one]}
        table = _overlaid(table, varied)
    return table


def _parts(reference: str) -> tuple[Path, list[str]]:
    """The file and the variants that are asked for."""
    if Path(reference).is_file():
        return Path(reference), []
    name, *chosen = reference.split(VARIED_BY)
    return _file_of(name), chosen


def _file_of(name: str, *, beside: Path = Path()) -> Path:
    """A file, relative to `beside`, goes before the shipped recipe of that name."""
    for path in (beside / name, beside / f"{name}.toml", SHIPPED / name, SHIPPED / f"{name}.toml"):
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"there is no recipe {name}: no file is called so, and none of those that "
        "`metercrop-models recipes` lists"
    )


def _extended(path: Path, *, by: tuple[Path, ...] = ()) -> Table:
    """A file without a name of its own is called as the file is."""
    if path.resolve() in by:
        raise ValueError(f"the recipe {path} extends itself")
    try:
        said = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"the recipe {path} is not valid TOML: {error}") from error
    said.setdefault("name", path.stem.replace("_", "-"))
    if "extends" not in said:
        return said
    parent = _file_of(str(said.pop("extends")), beside=path.parent)
    return _overlaid(_extended(parent, by=(*by, path.resolve())), said)


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> Table:
    both = {**below, **above}
    for key, value in above.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            kind = KINDS.get(key, "")
            same = kind not in value or value[kind] == under.get(kind)
            both[key] = _overlaid(under, value) if same else value
    return both
