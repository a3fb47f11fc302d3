"""Evaluation reports side by side, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Table

from pixelrs_ros.evaluation.published import NOTE, Comparison

Report = dict[str, Any]

_COLUMNS: tuple[tuple[str, Callable[[Report], str]], ...] = (
    ("gIoU", lambda row: _number(row["g_iou"])),
    ("95 %", lambda row: "–".join(_number(end) for end in row["g_iou_95"] or ())),
    ("objects", lambda row: _number(row.get("objects", {}).get("g_iou"))),
    ("parts", lambda row: _number(row.get("parts", {}).get("g_iou"))),
    ("cIoU", lambda row: _number(row["c_iou"])),
    ("boundary", lambda row: _number(row["boundary_iou"])),
    ("P / R / F1", lambda row: " / ".join(_number(row[name]) for name in ("precision", "recall", "f1"))),
    ("referent", lambda row: _percent(row["referent_right"])),
    ("object", lambda row: _percent(row["object_right"])),
    ("part", lambda row: _percent(row["part_right"])),
    ("turn s", lambda row: _number((row["seconds"] or {}).get("turn_median"))),
)
# Whether the network knows when not to know.
_DOUBTS: tuple[tuple[str, Callable[[Report], str]], ...] = (
    ("turns", lambda row: str((row["status"] or {}).get("turns", ""))),
    ("no answer", lambda row: str((row.get("unanswered") or {}).get("turns", ""))),
    ("status", lambda row: _percent((row["status"] or {}).get("accuracy"))),
    ("not found P / R", lambda row: _precision_recall(row["status"], "not_found")),
    ("which one? P / R", lambda row: _precision_recall(row["status"], "clarify")),
    ("ends right", lambda row: _percent(row.get("right"))),
    ("both of a pair", lambda row: _percent((row.get("pairs") or {}).get("both_right"))),
    ("one object", lambda row: _percent(row.get("one_object"))),
    ("says right", lambda row: _percent(row.get("content"))),
    ("masks", lambda row: str((row["calibration"] or {}).get("count", ""))),
    ("score error", lambda row: _number((row["calibration"] or {}).get("expected_error"), digits=3)),
)


def conditions_table(reports: Sequence[Report]) -> Table:
    """One row a condition and a baseline of each report.

    Args:
        reports: What `evaluate` returns, each with its "checkpoint".
    """
    caption = "referent, object, part: the last answer's words name the target's, and no other"
    table = _table("masks and words", ["", *(name for name, _ in _COLUMNS)])
    table.caption = caption
    for report in reports:
        table.add_section()
        for index, (name, row) in enumerate(report["conditions"].items()):
            cells = (text(row) for _, text in _COLUMNS)
            table.add_row(f"{title(report)}: {name}", *cells, style="bold" if index == 0 else "")
    return table


def doubts_table(reports: Sequence[Report]) -> Table:
    """How each report's first condition knows when not to know: statuses, and the expected error of the mask score."""
    table = _table("knowing when not to know", ["", *(name for name, _ in _DOUBTS)])
    for report in reports:
        name, row = headline(report)
        table.add_row(f"{title(report)}: {name}", *(text(row) for _, text in _DOUBTS))
    return table


def groups_table(reports: Sequence[Report], groups: str, what: str) -> Table | None:
    """Scores of the first condition by group of dialogues, the checkpoints side by side.

    Args:
        reports: What `evaluate` returns, each with its "checkpoint".
        groups: "by_kind", "by_view" or "by_hard".
        what: What the groups are, for the title.

    Returns:
        None where the data does not tell groups apart.
    """
    checkpoints = list(dict.fromkeys(report["checkpoint"] for report in reports))
    rows = {(report["split"], name): row for report in reports for name, row in headline(report)[1][groups].items()}
    if not rows:
        return None
    scores = [f"{checkpoint} {score}" for checkpoint in checkpoints for score in ("gIoU", "referent", "status")]
    table = _table(f"{headline(reports[0])[0]}, by {what}", ["split", "", "dialogues", *scores])
    found = {(report["split"], report["checkpoint"]): headline(report)[1][groups] for report in reports}
    for (split, name), any_row in rows.items():
        cells: list[str] = []
        for checkpoint in checkpoints:
            row = found.get((split, checkpoint), {}).get(name)
            accuracy = (row["status"] or {}).get("accuracy") if row else None
            cells += [_number(row["g_iou"]), _percent(row["referent_right"]), _percent(accuracy)] if row else [""] * 3
        table.add_row(split, name, str(any_row["count"]), *cells)
    return table


def status_table(report: Report) -> Table | None:
    """The first condition's confusion of statuses; None where the data has none."""
    name, row = headline(report)
    if row["status"] is None:
        return None
    confusion: dict[str, dict[str, int]] = row["status"]["confusion"]
    given = sorted({status for counts in confusion.values() for status in counts})
    about = f"{title(report)}: {name}, status of {row['status']['turns']} turns: true (rows), given (columns)"
    table = _table(about, ["", *given])
    for true, counts in confusion.items():
        table.add_row(true, *(str(counts.get(status, 0)) for status in given))
    return table


def published_table(comparison: Comparison) -> Table:
    """What others published beside ours."""
    table = _table(comparison.title, ["", "dialogues", "percent"])
    table.caption = NOTE
    for name, percent, dialogues in comparison.ours:
        table.add_row(name, str(dialogues), _number(percent), style="bold")
    for name, percent in comparison.published.items():
        table.add_row(f"{name} (published)", "", _number(percent))
    return table


def unanswered_lines(report: Report) -> list[str]:
    """How many turns of the first condition got no answer, and why the first of them; nothing where all did."""
    unanswered = headline(report)[1].get("unanswered") or {"turns": 0}
    if not unanswered["turns"]:
        return []
    return [f"{title(report)}: turns without an answer: {unanswered['turns']}", *unanswered["first"]]


def title(report: Report) -> str:
    """Which checkpoint and split a report is about: "nano, test"."""
    return f"{report['checkpoint']}, {report['split']}"


def headline(report: Report) -> tuple[str, dict[str, Any]]:
    """A report's first condition: its name and its scores."""
    return next(iter(report["conditions"].items()))


def _table(about: str, columns: Sequence[str]) -> Table:
    table = Table(title=about)
    for name in columns:
        named = name in ("", "split")
        table.add_column(name, justify="left" if named else "right", no_wrap=not named)
    return table


def _precision_recall(status: dict[str, Any] | None, name: str) -> str:
    if status is None:
        return ""
    return " / ".join(_number(status[name][rate]) or "–" for rate in ("precision", "recall"))


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"
