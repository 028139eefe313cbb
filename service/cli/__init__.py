"""The command `metercrop`: one file a command, `app` says how each is called."""

from service.cli.app import main

__all__ = ["main"]
