"""Turn a recording of `pixelrs record` or `ros2 bag` into a PRIST folder: a robot's turns become training data.

The robot's own masks are the labels: look at them, and correct them with `pixelrs label`. Reads MCAP and SQLite; needs
no ROS.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bag", type=Path, metavar="BAG", help="folder of the recording, or an .mcap or .db3 file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new PRIST folder")
    parser.add_argument(
        "--split", default="train", metavar="NAME", help="name of the list of dialogues (default: train)"
    )
    parser.add_argument("--namespace", metavar="NS", help="of the robot, where several were recorded")
    parser.add_argument("--image", metavar="TOPIC", help="of the images (default: as recorded, else NS/image)")


def run(options: argparse.Namespace) -> None:
    """Write it.

    Raises:
        DataError: The recording cannot be used, or the folder is not empty.
        OutputError: A file cannot be written.
    """
    from pixelrs_ros.data.from_bag import write_from_bag

    done = write_from_bag(options.bag, options.out, options.split, options.namespace, options.image)
    print(f"{options.out / options.split}.json: {done.examples} dialogues that end on a mask")
    print(f"{done.turns} turns of {done.dialogues} dialogues were answered")
    for status, count in done.failed.items():
        print(f"{count} turns left out: {status.value}")
    if done.without_picture:
        print(f"{done.without_picture} turns left out: their image was not recorded")
    print(f"to correct the masks: pixelrs label {options.out}")
