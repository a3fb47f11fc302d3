"""Writes the table of faults into the documents, from the markers of the tests in test/faults.

scripts/env.sh python scripts/write_faults.py
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pixelrs_ros.documents import tables, write_table

ROOT = Path(__file__).resolve().parent.parent
NAME = "faults"


@dataclass
class Row:
    """One fault: what the node does about it, how much of the robot is real, where and how often that is tested."""

    answer: str = ""
    real: str = ""
    files: list[str] = field(default_factory=list)
    cases: int = 0


class Collector:
    """A pytest plug-in that gathers the markers of what it collects."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read the markers."""
        for item in session.items:
            for marker in item.iter_markers("fault"):
                done, answer = marker.args
                row = self.rows.setdefault(done, Row())
                row.answer = row.answer or answer
                # Of several tests the one that replaces most.
                row.real = min(filter(None, (row.real, marker.kwargs.get("real") or real(item))), key=len)
                row.cases += marker.kwargs.get("cases", 1)
                if item.path.name not in row.files:
                    row.files.append(item.path.name)


def real(item: pytest.Item) -> str:
    """What a test does not replace; the network is the one that the fixtures `engine` and `debug_miras` give it."""
    fixtures = getattr(item, "fixturenames", ())
    if "engine" in fixtures:
        return "node, DDS"
    return "node, DDS, a tiny network" if "debug_miras" in fixtures else "node, DDS, `nano`"


def table() -> str:
    """The rows as Markdown.

    Raises:
        RuntimeError: The tests could not be collected.
    """
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        status = pytest.main(["--collect-only", "-q", str(ROOT / "test" / "faults")], plugins=[collector])
    if status != pytest.ExitCode.OK:
        raise RuntimeError(said.getvalue())
    lines = ["| what is done to the node | what it does | what is real | tested in `test/faults/` | cases |"]
    lines.append("|---|---|---|---|---|")
    for done, row in collector.rows.items():
        files = ", ".join(f"`{name}`" for name in row.files)
        lines.append(f"| {done} | {row.answer} | {row.real} | {files} | {row.cases:,} |")
    total = sum(row.cases for row in collector.rows.values())
    lines.append(f"| **{len(collector.rows)} faults** | | | | **{total:,}** |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the table, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare; status 1 when the table is outdated")
    options = parser.parse_args()
    if options.check:
        return int(set(tables(ROOT, NAME).values()) != {table()})
    write_table(ROOT, NAME, table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
