"""Examine ROS, DDS, the installed versions, the device, the checkpoint: each line is OK, or says what to do.

The exit status is 1 when a line says FAIL. WARN is for what not everybody needs. Each check runs apart from this
command, so that one which crashes is a FAIL too.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pixelrs_ros.errors import OutputError, PixelrsError

if TYPE_CHECKING:
    from pixelrs_ros.doctor.findings import Finding

# Modules with checks, and how many seconds those may take together; a large checkpoint is read whole.
GROUPS = {"pixelrs_ros.ros.tools.doctor": 60.0, "pixelrs_ros.doctor.machine": 900.0}
STYLES = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checkpoint", default="nano", metavar="DIR", help="folder or name (default: nano)")
    what.add_argument("--preset", metavar="NAME", help="the memory of this network, and no checkpoint")
    parser.add_argument("--device", default="cpu", help="torch device that shall be used (default: cpu)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there too")


def run(options: argparse.Namespace) -> None:
    """Run every check, print the table.

    Raises:
        PixelrsError: A check failed, or the file cannot be written.
        ConfigError: There is no such preset.
    """
    from pixelrs_ros.config import load_preset
    from pixelrs_ros.doctor.findings import Level, Subject, examine

    if options.preset:
        load_preset(options.preset)
    subject = Subject(options.checkpoint, options.preset, options.device)
    findings: dict[str, Finding] = {}
    for module, limit_s in GROUPS.items():
        findings |= examine(module, subject, limit_s)
    print_table(findings)
    failed = [name for name, finding in findings.items() if finding.level is Level.FAIL]
    if options.json:
        write_json(options.json, subject, findings)
    if failed:
        raise PixelrsError(f"{len(failed)} of {len(findings)} checks failed: {', '.join(failed)}")


def print_table(findings: dict[str, Finding]) -> None:
    """One line for each check, with what to do under what was found."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=False)
    for column in ("check", "", "found, and what to do"):
        table.add_column(column, overflow="fold")
    for name, finding in findings.items():
        level = finding.level.value
        said = Text(finding.text)
        if finding.remedy:
            said.append(f"\n→ {finding.remedy}", style="bold")
        table.add_row(name, Text(level, STYLES[level]), said)
    Console(highlight=False).print(table)


def write_json(path: Path, subject: object, findings: dict[str, Finding]) -> None:
    """Write what was examined and every finding.

    Raises:
        PixelrsError: The file cannot be written.
    """
    from pixelrs_ros import files

    checks = [{"check": name, **asdict(finding)} for name, finding in findings.items()]
    try:
        files.write_json(path, {"subject": vars(subject), "checks": checks})
    except OutputError as error:
        raise PixelrsError(f"--json: {error}") from error
