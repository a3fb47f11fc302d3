"""Make one HTML page of what `pixelrs evaluate --json FILE` wrote; of several files, also how they differ.

Tables by split, target, last turn, size and occlusion; IoU histogram, precision and recall, reliability; the best, the
median and the worst cases with their pictures and dialogues. Of each file after the first, every report is compared
with the first file's of the same split, dialogue by dialogue: difference of gIoU, with its 95 % interval (paired
bootstrap over pictures).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pixelrs_ros.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", type=Path, nargs="*", metavar="FILE", help="what `pixelrs evaluate --json` wrote")
    parser.add_argument(
        "--compare", type=Path, nargs=2, metavar=("A", "B"), help="how B differs from A; the same as naming both"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="HTML", help="the page; needs no other file")


def run(options: argparse.Namespace) -> None:
    """Write the page, and print the differences.

    Raises:
        ConfigError: No file is named.
        DataError: A file is not what `pixelrs evaluate --json FILE` writes.
        OutputError: The page cannot be written.
    """
    from pixelrs_ros.evaluation.page import write_report
    from pixelrs_ros.files import require_writable

    files = [*options.results, *(options.compare or ())]
    if not files:
        raise ConfigError("nothing to show; remedy: name a FILE that `pixelrs evaluate --json` wrote, or --compare A B")
    require_writable(options.out)
    for line in write_report(options.out, files):
        print(line)
    print(options.out)
