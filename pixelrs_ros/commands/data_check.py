"""Look through a data set: what is missing, malformed, doubtful or told twice, with counts and file names.

The exit status is 1 where something keeps training or evaluation from using the data; what is read rightly all the same
is only told. docs/data.md shows the formats with an example of each.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.commands.data_sets import add_data_options, chosen_splits
from pixelrs_ros.commands.numbers import positive
from pixelrs_ros.errors import DataError

if TYPE_CHECKING:
    from rich.console import Console

    from pixelrs_ros.data.check import CheckReport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the data set")
    add_data_options(parser)
    parser.add_argument("--split", action="append", help="may be repeated (default: all)")
    parser.add_argument(
        "--list", type=positive, default=5, metavar="N", help="print so many of each kind of problem (default: 5)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with the pictures that are concerned")


def run(options: argparse.Namespace) -> None:
    """Print what was found.

    Raises:
        DataError: The folder is of no known format, or something in it cannot be used.
        OutputError: A report cannot be written.
    """
    from rich.console import Console

    from pixelrs_ros.commands.progress import progress_bar
    from pixelrs_ros.data.check import check
    from pixelrs_ros.data.check_page import write_page
    from pixelrs_ros.data.readers.opening import open_data
    from pixelrs_ros.files import require_writable

    reader = open_data(options.folder, options.format, options.images)
    splits = chosen_splits(reader, options.split)
    for path in filter(None, (options.json, options.html)):
        require_writable(path)
    console = Console()
    with progress_bar(console) as progress:
        task = progress.add_task("dialogues", total=None)
        with check(reader, splits, lambda: progress.advance(task)) as report:
            progress.stop()
            _print(console, report, options.list)
            if options.json:
                _write_json(options.json, report)
            if options.html:
                write_page(options.html, report)
            if report.errors:
                raise DataError(f"{options.folder}: {report.errors} errors")


def _print(console: Console, report: CheckReport, listed: int) -> None:
    from rich.table import Table

    table = Table(title=f"{report.folder}: {report.form}")
    for name in ("split", "dialogues", "turns", "pictures", "masks"):
        table.add_column(name, justify="left" if name == "split" else "right")
    for name, counts in report.splits.items():
        table.add_row(name, *map(str, vars(counts).values()))
    console.print(table)
    for fault, count in report.faults.items():
        kind = "error" if fault.is_error else "note"
        console.print(f"{kind}: {fault.value}: {count}", markup=False, highlight=False)
        for problem in report.problems(fault, listed):
            console.print(f"  {problem.where}: {problem.what}", markup=False, highlight=False, soft_wrap=True)
        if count > listed:
            console.print(f"  … and {count - listed} more", markup=False, highlight=False)
    if not report.faults:
        console.print("nothing is wrong")


def _write_json(path: Path, report: CheckReport) -> None:
    """One problem a line, written as it is read: there may be very many."""
    from pixelrs_ros.files import writing

    head = {
        "folder": str(report.folder),
        "format": report.form,
        "splits": {name: vars(counts) for name, counts in report.splits.items()},
        "errors": report.errors,
        "faults": {fault.value: count for fault, count in report.faults.items()},
    }
    with writing(path) as file:
        file.write(json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "problems": [')
        for index, problem in enumerate(report.problems()):
            said = {"fault": problem.fault.value, "where": problem.where, "what": problem.what}
            file.write(("," if index else "") + "\n  " + json.dumps(said, ensure_ascii=False))
        file.write("\n ]\n}\n")
