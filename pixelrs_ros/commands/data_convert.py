"""Write a data set of any known format as a PRIST folder, which training, evaluation and labelme read."""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.commands.data_sets import add_data_options, chosen_splits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the data set")
    add_data_options(parser)
    parser.add_argument("--split", action="append", help="may be repeated (default: all)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new PRIST folder")


def run(options: argparse.Namespace) -> None:
    """Write it.

    Raises:
        DataError: The folder is of no known format, has an error that `pixelrs data check` tells, or the new one is
            not empty.
        OutputError: A file cannot be written.
    """
    from rich.console import Console

    from pixelrs_ros.commands.progress import progress_bar
    from pixelrs_ros.data.readers.opening import open_data
    from pixelrs_ros.data.rewrite import write_prist

    reader = open_data(options.folder, options.format, options.images)
    splits = chosen_splits(reader, options.split)
    with progress_bar(Console(stderr=True)) as progress:
        task = progress.add_task("dialogues", total=None)
        done = write_prist(reader, splits, options.out, lambda: progress.advance(task))
    for split, (written, left_out) in done.items():
        note = f", {left_out} left out: they end on no mask" if left_out else ""
        print(f"{options.out / split}.json: {written} dialogues{note}")
