"""Render scenes and tell dialogues about them: a PRIST folder, resumable, the same bytes for the same seed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.commands.numbers import not_negative, positive
from pixelrs_ros.errors import DataError

if TYPE_CHECKING:
    from pixelrs_ros.sim.wording import Split


SPLITS: tuple[Split, ...] = ("train", "val", "test")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the PRIST folder")
    for split in SPLITS:
        parser.add_argument(
            f"--{split}", type=positive, metavar="N", help=f"pictures of the {split} split (default: none)"
        )
    parser.add_argument("--seed", type=not_negative, default=0, metavar="S", help="of every random choice (default: 0)")
    parser.add_argument("--workers", type=positive, default=1, metavar="W", help="processes that draw (default: 1)")


def run(options: argparse.Namespace) -> None:
    """Make or complete the folder; splits that were not asked for stay as they are.

    Raises:
        DataError: No split was asked for, or the folder cannot be written.
    """
    counts: dict[Split, int] = {split: getattr(options, split) for split in SPLITS if getattr(options, split)}
    if not counts:
        raise DataError("nothing to make: give --train, --val or --test a number of pictures")

    from pixelrs_ros.data.generate import generate

    made = generate(options.out, counts, seed=options.seed, workers=options.workers)
    for split, dialogues in made.items():
        print(f"{options.out / split}.json: {counts[split]} pictures, {dialogues} dialogues")
