"""Options that say which data set, and which of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.errors import DataError

if TYPE_CHECKING:
    from pixelrs_ros.data.readers.entries import Reader

FORMATS = ("prist", "refcoco", "reasonseg", "regiondial", "converseg", "llava", "coco")


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that every command with a data set has."""
    parser.add_argument("--format", choices=FORMATS, help="of the data set (default: found out)")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of the pictures (default: where the format has them)"
    )


def chosen_splits(reader: Reader, asked: list[str] | None) -> list[str]:
    """The splits that were asked for, each once; without any, all.

    Raises:
        DataError: The data set has none, or not one that was asked for.
    """
    from pixelrs_ros.data.readers.opening import require_split

    there = reader.splits()
    if not there:
        raise DataError(f"{reader.folder}: no split of the format {reader.form}")
    for name in asked or ():
        require_split(reader, name)
    return list(dict.fromkeys(asked or there))
