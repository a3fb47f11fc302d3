"""Turn the marked turns of a node's stored dialogues into a PRIST folder: what the network did wrong, and right.

For a store that no node holds; of a node that runs, the service ~/export_dialogue with `marked` writes the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("store", type=Path, metavar="DIR", help="the node's `storage_dir`, or the file in it")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new PRIST folder")
    parser.add_argument(
        "--split", default="train", metavar="NAME", help="name of the list of dialogues (default: train)"
    )


def run(options: argparse.Namespace) -> None:
    """Write it.

    Raises:
        DataError: There is no store, nothing is marked, or the folder is not empty.
        StorageError: A node holds the store, or it is damaged.
        OutputError: A file cannot be written.
    """
    from pixelrs_ros.data.marked import marked_in_store, write_marked

    done = write_marked(options.out, marked_in_store(options.store), options.split)
    print(f"{done.bad} turns marked as wrong, {done.good} as right ({done.examples} end on a mask)")
    if done.without_picture:
        print(f"{done.without_picture} marked turns left out: their image is not stored (parameter 'store_images')")
    print(f"to correct the masks: pixelrs label {options.out}")
