"""An evaluation's report as one table for the terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.table import Table

_COLUMNS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("gIoU", lambda row: _number(row["g_iou"])),
    ("95 %", lambda row: "–".join(_number(end) for end in row["g_iou_95"])),
    ("objects", lambda row: _number(row.get("objects", {}).get("g_iou"))),
    ("parts", lambda row: _number(row.get("parts", {}).get("g_iou"))),
    ("cIoU", lambda row: _number(row["c_iou"])),
    ("boundary", lambda row: _number(row["boundary_iou"])),
    ("P / R / F1", lambda row: " / ".join(_number(row[name]) for name in ("precision", "recall", "f1"))),
    ("referent", lambda row: _percent(row["referent_right"])),
    ("object", lambda row: _percent(row["object_right"])),
    ("part", lambda row: _percent(row["part_right"])),
    ("status", lambda row: _percent((row["status"] or {}).get("accuracy"))),
    ("turn s", lambda row: _number((row["seconds"] or {}).get("turn_median"))),
)


def conditions_table(report: dict[str, Any]) -> Table:
    """One row a condition and a baseline.

    Args:
        report: What `evaluate` returns.
    """
    title = f"{report['dialogues']} dialogues, {report['images']} images of {report['split']}"
    table = Table(
        title=title, caption="referent, object, part: the last answer's words name the target's, and no other"
    )
    table.add_column("")
    for name, _ in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for index, (name, row) in enumerate(report["conditions"].items()):
        table.add_row(name, *(text(row) for _, text in _COLUMNS), style="bold" if index == 0 else "")
    return table


def kinds_table(report: dict[str, Any]) -> Table | None:
    """Scores of the first condition by kind of the last turn; None where the data has no kinds."""
    return _groups_table(report, "by_kind", "by kind of the last turn")


def views_table(report: dict[str, Any]) -> Table | None:
    """Scores of the first condition by what the picture is like; None where the data does not say."""
    return _groups_table(report, "by_view", "by picture")


def _groups_table(report: dict[str, Any], key: str, title: str) -> Table | None:
    name, row = next(iter(report["conditions"].items()))
    if not row[key]:
        return None
    table = Table(title=f"{name}, {title}")
    for column in ("", "dialogues", "gIoU", "referent"):
        table.add_column(column, justify="right" if column else "left")
    for group, scores in row[key].items():
        table.add_row(group, str(scores["count"]), _number(scores["g_iou"]), _percent(scores["referent_right"]))
    return table


def status_table(report: dict[str, Any]) -> Table | None:
    """The first condition's confusion of statuses; None where the data has none."""
    name, row = next(iter(report["conditions"].items()))
    if row["status"] is None:
        return None
    confusion: dict[str, dict[str, int]] = row["status"]["confusion"]
    given = sorted({status for counts in confusion.values() for status in counts})
    table = Table(title=f"{name}, status of {row['status']['turns']} turns: true (rows), given (columns)")
    table.add_column("")
    for status in given:
        table.add_column(status, justify="right")
    for true, counts in confusion.items():
        table.add_row(true, *(str(counts.get(status, 0)) for status in given))
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"
