"""Build, check, convert and divide data sets of dialogues about pictures, or make one of what a robot did."""

from __future__ import annotations

import argparse
from types import ModuleType

from pixelrs_ros.commands import data_build, data_check, data_convert, data_from_bag, data_from_store, data_split
from pixelrs_ros.commands.groups import add_commands

COMMANDS: dict[str, ModuleType] = {
    "build": data_build, "check": data_check, "convert": data_convert, "from-bag": data_from_bag,
    "from-store": data_from_store, "split": data_split,
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the commands of the group and their options."""
    add_commands(parser, COMMANDS, "data_command")


def run(options: argparse.Namespace) -> None:
    """Run the command that was given; errors as it raises them."""
    COMMANDS[options.data_command].run(options)
