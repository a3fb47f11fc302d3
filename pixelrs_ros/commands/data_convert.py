"""Write a data set of any known format as a PRIST folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the data set")


def run(options: argparse.Namespace) -> None:
    """Write it.

    Raises:
        DataError: The folder is of no known format, or something in it cannot be used.
    """
