"""Make one HTML page of what `pixelrs evaluate --json FILE` wrote; of several files, also how they differ.

Tables by split, target, last turn, size and occlusion; IoU histogram, precision and recall, reliability; the best, the
median and the worst cases with their pictures and dialogues. Of each file after the first, every report is compared
with the first file's of the same split, dialogue by dialogue: difference of gIoU, with its 95 % interval (paired
bootstrap over pictures).
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, nargs="+", metavar="FILE", help="what `pixelrs evaluate --json` wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="HTML", help="the page; needs no other file")


def run(options: argparse.Namespace) -> None:
    """Write the page, and print the differences.

    Raises:
        DataError: A file is not what `pixelrs evaluate --json FILE` writes.
        OutputError: The page cannot be written.
    """
    from pixelrs_ros.evaluation.page import write_report
    from pixelrs_ros.files import require_writable

    require_writable(options.out)
    for line in write_report(options.out, options.results):
        print(line)
    print(options.out)
