"""Correct a robot's masks in labelme, and take them back.

Writes labelme's files into DIR/labelme, opens labelme where it is installed, and takes back what was drawn when it is
closed. Without labelme here: draw elsewhere, then `pixelrs label DIR --take-back`. DIR is what `pixelrs data from-bag`,
`pixelrs data from-store` or the service ~/export_dialogue has written.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the PRIST folder")
    parser.add_argument("--take-back", action="store_true", help="only take back what was drawn")
    parser.add_argument("--split", metavar="NAME", help="the list of dialogues, where there are several")


def run(options: argparse.Namespace) -> None:
    """Write, open, take back.

    Raises:
        DataError: The folder is of another kind, or what was drawn cannot be used.
        OutputError: A file cannot be written.
        PixelrsError: labelme failed.
    """
    import shlex
    import shutil
    import subprocess

    from pixelrs_ros.data.labeling import FOLDER, take_back, write_labelme
    from pixelrs_ros.errors import PixelrsError

    if not options.take_back:
        print(f"{options.folder / FOLDER}: {write_labelme(options.folder)} new files for labelme")
        images, drawn = options.folder / "images", options.folder / FOLDER
        command = ["labelme", str(images), "--output", str(drawn), "--nodata"]
        if shutil.which("labelme") is None:
            print(f"labelme is not installed here (pip install labelme); where it is:\n  {shlex.join(command)}")
            print(f"then: pixelrs label {options.folder} --take-back")
            return
        if status := subprocess.run(command).returncode:
            raise PixelrsError(f"labelme ended with exit status {status}; nothing was taken back")
    taken = take_back(options.folder, options.split)
    print(f"{taken.corrected} pictures corrected, {taken.drawn} drawn on where the robot had shown nothing, "
          f"{taken.emptied} without a mask now, {taken.unchanged} unchanged")  # fmt: skip
    if taken.still_wrong:
        print(f"{taken.still_wrong} turns left out: marked as wrong, but nobody has corrected their masks")
    print(f"{taken.examples} dialogues end on a mask")
