"""Look through a data set: what is missing, malformed, doubtful or told twice, with counts and file names."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the data set")


def run(options: argparse.Namespace) -> None:
    """Print what was found.

    Raises:
        DataError: The folder is of no known format, or something in it cannot be used.
    """
