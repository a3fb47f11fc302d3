"""Writes the tables of evaluations into the documents, the short one into README.md.

pixelrs evaluate --data data/tabletop --split test_direct --split test_stranger --json out/own.json
pixelrs evaluate --data data/tabletop --split test_direct --blind --limit 160 --json out/blind.json
scripts/env.sh python scripts/write_numbers.py out/own.json out/blind.json
"""

from __future__ import annotations

import argparse
import io
import json
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from pixelrs_ros.documents import write_table
from pixelrs_ros.evaluation.play import HEADLINE, Condition
from pixelrs_ros.evaluation.tables import conditions_table, doubts_table, groups_table, headline

ROOT = Path(__file__).resolve().parent.parent
WIDTH = 400  # characters: Markdown rows must not wrap
BLIND, LAST_TURN_ONLY = Condition(blind=True).name, Condition(history="none").name
# What each split asks, for those who have not read how it is made.
ASKED = {
    "test": "dialogues that end on one thing",
    "test_language": "the same in slips, fillers and wishes that training never shows",
    "test_shapes": "dialogues about shapes that training never shows",
    "test_direct": "one order of any sort",
    "test_relations": "one order by place, or by another thing",
    "test_parts": "one order for a part",
    "test_chat": "talk and questions: no mask",
    "test_pairs": "the same order on two scenes, where it ends differently",
    "test_stranger": "pictures and words by another hand",
}


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


def measured(reports: Sequence[dict[str, Any]]) -> str:
    """The short table: one row a split, the lowest gIoU first, and last those without a target."""
    lines = [
        "| split | what it asks | n | gIoU | right referent | status right | blind gIoU | last-turn-only gIoU |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for report in sorted(reports, key=_g_iou):
        split, own, others = report["split"], headline(report)[1], report["conditions"]
        right = (own["status"] or {}).get("accuracy")
        blind, alone = (others[name]["g_iou"] if name in others else None for name in (BLIND, LAST_TURN_ONLY))
        numbers = (_score(own["g_iou"]), _percent(own["referent_right"]), _percent(right), _score(blind), _score(alone))
        lines.append(f"| `{split}` | {ASKED.get(split, '')} | {report['dialogues']:,} | {' | '.join(numbers)} |")
    return "\n".join(lines)


def _g_iou(report: dict[str, Any]) -> float:
    value = headline(report)[1]["g_iou"]
    return math.inf if value is None else float(value)


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def tables(reports: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Markdown by the name of its marker."""
    found = {
        "conditions": conditions_table(reports),
        "doubts": doubts_table(reports),
        "pictures": groups_table(reports, "by_view", "picture"),
        "language": groups_table(reports, "by_hard", "what is hard in the language"),
    }
    long = {name: markdown(table) for name, table in found.items() if table is not None}
    return {"measured": measured(reports), **long}


def joined(reports: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conditions of one network on one split together; what comes later adds to what came before."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        known = found.setdefault((report["checkpoint"], report["split"]), report)
        known["conditions"] = (
            {**report["conditions"], **known["conditions"]} if known is not report else report["conditions"]
        )
    for report in found.values():  # the headline first
        own = HEADLINE.name
        if own in report["conditions"]:
            report["conditions"] = {own: report["conditions"][own], **report["conditions"]}
    return list(found.values())


def main() -> None:
    """Write every table wherever a document has its markers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluations", type=Path, nargs="+", help="JSON files of `pixelrs evaluate`")
    paths: list[Path] = parser.parse_args().evaluations
    reports = joined(report for path in paths for report in json.loads(path.read_text(encoding="utf-8"))["reports"])
    for name, table in tables(reports).items():
        for page in write_table(ROOT, name, table):
            print(f"{page.relative_to(ROOT)}: {name}")


if __name__ == "__main__":
    main()
