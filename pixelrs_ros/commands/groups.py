"""Commands by name, below `pixelrs` itself or below one of its commands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import ModuleType


def add_commands(parser: argparse.ArgumentParser, commands: Mapping[str, ModuleType], chosen: str) -> None:
    """Let a parser take one of some commands; the first line of a command's docstring is its help.

    Args:
        parser: Gets them.
        commands: By name, each with `add_arguments` and `run`.
        chosen: Where the parsed options keep the name of the one that was given.
    """
    subparsers = parser.add_subparsers(dest=chosen, metavar="COMMAND", required=True)
    for name, command in commands.items():
        summary = (command.__doc__ or "").splitlines()[0]
        subparser = subparsers.add_parser(
            name, help=summary, description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_arguments(subparser)
