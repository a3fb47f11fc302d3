"""Divide a list of dialogues into `learn` and `held_out`, with no picture in both: to learn from and to measure on."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a PRIST folder")
    parser.add_argument("--split", default="train", metavar="NAME", help="the list to divide (default: train)")
    parser.add_argument(
        "--hold-out", type=float, default=0.3, metavar="SHARE", help="of the pictures, in (0, 1) (default: 0.3)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the division (default: 0)")


def run(options: argparse.Namespace) -> None:
    """Divide it.

    Raises:
        DataError: The list is missing or malformed, or has fewer than two pictures.
        OutputError: A file cannot be written.
    """
    from pixelrs_ros.data.holding_out import HELD_OUT, LEARN, hold_out

    learn, held = hold_out(options.folder, options.split, options.hold_out, options.seed)
    print(f"{LEARN}: {learn} dialogues, {HELD_OUT}: {held}")
