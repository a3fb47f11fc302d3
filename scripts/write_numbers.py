"""Writes the tables of evaluations into README.md and the model card, between their markers.

pixelrs evaluate --data data/tabletop --all --json out/evaluation.json
pixelrs evaluate --data data/tabletop --split test_language --split test_shapes --json out/evaluation_hard.json
scripts/env.sh python scripts/write_numbers.py out/evaluation.json out/evaluation_hard.json
"""

from __future__ import annotations

import argparse
import io
import json
import re
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from pixelrs_ros.evaluation.tables import conditions_table, doubts_table, groups_table

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", ROOT / "pixelrs_ros" / "checkpoints" / "README.md")
WIDTH = 400  # characters: Markdown rows must not wrap


def markdown(table: Table) -> str:
    """A table as Markdown, with its title above."""
    title, table.title, table.caption, table.box = table.title, None, None, box.MARKDOWN
    console = Console(file=io.StringIO(), width=WIDTH)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    lines = (re.sub(r" {2,}", " ", line.strip()) for line in console.file.getvalue().splitlines())
    header, rule, *rows = filter(None, lines)
    kept = [row for row in rows if re.search(r"[^|\s-]", row)]  # sections are ruled off, which Markdown cannot say
    return "\n".join([f"*{title}*\n", header, rule, *kept])


def tables(reports: list[dict[str, Any]]) -> dict[str, str]:
    """Markdown by the name of its marker."""
    found = {
        "conditions": conditions_table(reports),
        "doubts": doubts_table(reports),
        "pictures": groups_table(reports, "by_view", "picture"),
        "language": groups_table(reports, "by_hard", "what is hard in the language"),
    }
    return {name: markdown(table) for name, table in found.items() if table is not None}


def main() -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", type=Path, nargs="+", help="JSON files of `pixelrs evaluate`")
    paths: list[Path] = parser.parse_args().evaluations
    written = tables([report for path in paths for report in json.loads(path.read_text(encoding="utf-8"))["reports"]])
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name, table in written.items():
            pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
            literally = table.replace("\\", r"\\")
            text, count = pattern.subn(rf"\g<1>{literally}\n\g<2>", text)
            if count:
                print(f"{page.relative_to(ROOT)}: {name}")
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
