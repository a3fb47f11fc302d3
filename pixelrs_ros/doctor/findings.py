"""Findings, and how a group of checks is run so that none of them can end the command.

A broken installation seldom raises: rcl ends the process where the RMW implementation is another one, an extension
module that was compiled for another numpy crashes. So each group of checks runs in a process of its own, which writes
down what it begins and what it finds; where it dies, that check has failed, and another process goes on after it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any

_LAST_WORDS = 400  # characters of a dead process's error stream
_BY_A_LIBRARY = "the library that is named ended it: install one that fits the others, see the lines about them"
_UNFORESEEN = "this is not foreseen: please report it with the output of pixelrs doctor"


class Level(str, Enum):
    """How a check ended; only FAIL makes the command fail."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        level: How it ended.
        text: What there is.
        remedy: What to do; empty for OK.
    """

    level: Level
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Subject:
    """What is examined.

    Attributes:
        checkpoint: Folder or name.
        preset: Name of a shipped network configuration, examined in place of the checkpoint; None: the checkpoint.
        device: Where the network shall run, for example "cpu" or "cuda:0".
        out: Folder that commands write into.
    """

    checkpoint: str = "nano"
    preset: str | None = None
    device: str = "cpu"
    out: str = "out"


Check = Callable[[Subject], Finding]


def ok(text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, text)


def warn(text: str, remedy: str) -> Finding:
    """Something will not work, or may not, that not everybody needs."""
    return Finding(Level.WARN, text, remedy)


def fail(text: str, remedy: str) -> Finding:
    """What was asked about does not work."""
    return Finding(Level.FAIL, text, remedy)


def perform(check: Check, subject: Subject) -> Finding:
    """Run one check; whatever it raises is a finding too."""
    try:
        return check(subject)
    except (Exception, SystemExit) as error:
        return fail(f"{type(error).__name__}: {error}", _UNFORESEEN)


def examine(module: str, subject: Subject, limit_s: float) -> dict[str, Finding]:
    """Run the checks of a module in processes of their own.

    Args:
        module: Dotted name of a module that hands its checks to `serve` when run.
        subject: What is examined.
        limit_s: Seconds that one process may take.

    Returns:
        The findings by the names of their checks, in their order.
    """
    findings: dict[str, Finding] = {}
    last = ""
    while True:
        records, death = _in_a_process(module, subject, last, limit_s)
        begun = ""
        for record in records:
            if "end" in record:
                return findings
            begun = record["check"]
            if "level" in record:
                findings[begun] = Finding(Level(record["level"]), record["text"], record["remedy"])
        if not begun or begun in findings:  # not a check's fault: before the first, or between two
            findings[module] = fail(death, _UNFORESEEN)
            return findings
        findings[begun] = fail(death, _BY_A_LIBRARY)
        last = begun


def serve(checks: Mapping[str, Check], arguments: Sequence[str] | None = None) -> None:
    """Run checks as the process that `examine` started.

    Args:
        checks: By name.
        arguments: The command line; None takes the process's own.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--subject", type=json.loads, required=True)
    parser.add_argument("--after", default="")
    options = parser.parse_args(arguments)
    subject, names = Subject(**options.subject), list(checks)
    # A file, since libraries write on the output stream.
    with options.report.open("w", encoding="utf-8") as report:

        def write(record: dict[str, Any]) -> None:
            print(json.dumps(record), file=report, flush=True)

        for name in names[names.index(options.after) + 1 if options.after else 0 :]:
            write({"check": name})
            write({"check": name, **asdict(perform(checks[name], subject))})
        write({"end": True})


def _in_a_process(module: str, subject: Subject, after: str, limit_s: float) -> tuple[list[dict[str, Any]], str]:
    """What it wrote, and how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        command = [sys.executable, "-m", module, "--report", str(report), "--subject", json.dumps(asdict(subject))]
        command += ["--after", after]
        try:
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=limit_s
            )
            said = " ".join((ended.stderr.strip() or ended.stdout.strip())[-_LAST_WORDS:].split())
            death = f"the check's process ended with status {ended.returncode}: {said or 'it said nothing'}"
        except subprocess.TimeoutExpired:
            death = f"the check did not end within {limit_s:g} s"
        lines = report.read_text(encoding="utf-8").splitlines() if report.is_file() else []
    return [json.loads(line) for line in lines], death
